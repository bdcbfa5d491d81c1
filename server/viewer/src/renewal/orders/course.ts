/** The course of an order as a line of steps: what is done, where it is, what is left. */
import { h, icon } from "../../dom";
import { localized, t } from "../../i18n";
import type { Store } from "../store";
import type { Order, OrderState } from "./types";

/** Without what need not happen: being returned and withdrawn. */
const LINE: readonly OrderState[] = ["draft", "issued", "received", "handling", "answered", "closed"];

export function orderState(store: Store, state: OrderState): string {
  return localized(store.overview.words.order_states[state]) || state;
}

/** How far along the line a state is; what was returned is in hand again. */
export function placeOf(state: OrderState): number {
  return LINE.indexOf(state === "returned" ? "handling" : state);
}

export function course(store: Store, order: Order): HTMLElement {
  const { state } = order;
  const place = placeOf(state);
  const steps = LINE.map((step, i) => {
    const done = state === "closed" ? i <= place : i < place;
    const now = i === place && state !== "closed";
    const name = now && state === "returned" ? orderState(store, "returned") : orderState(store, step);
    return h(
      "li",
      { class: done ? "done" : now ? `now ${state}` : "", "aria-current": now ? "step" : null },
      h("span", { class: "course-mark", "aria-hidden": "true" }, done && icon("check")),
      h("span", {}, name),
    );
  });
  return h(
    "div",
    {},
    h("ol", { class: state === "withdrawn" ? "course withdrawn" : "course", "aria-label": t("order.course") }, ...steps),
    state === "withdrawn" && h("p", { class: "muted" }, orderState(store, "withdrawn")),
  );
}
