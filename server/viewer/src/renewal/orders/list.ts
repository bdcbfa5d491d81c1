/** The orders of a project in a list, the most urgent first. */
import { h, icon, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { urgencyLamp } from "../chosen/lamp";
import type { Store } from "../store";
import type { ProjectDetail } from "../types";
import { unitName } from "../words";
import { writing } from "./api";
import { orderState } from "./course";
import type { Desk, OrderFilters } from "./desk";
import { openOrderForm } from "./orderForm";
import { type Order, ORDER_STATES, type OrderPage, type OrderState } from "./types";
import { deadline } from "./words";

const ENDED: readonly OrderState[] = ["closed", "withdrawn"];
const URGENCIES = ["red", "yellow", "blue"] as const;

export interface Page {
  element: HTMLElement;
  /** Asks the server anew. */
  load: () => Promise<void>;
}

/** Overdue first, then by deadline; drafts before what has ended. */
export function byUrgency(a: Order, b: Order): number {
  const place = ({ state }: Order) => (ENDED.includes(state) ? 2 : state === "draft" ? 1 : 0);
  const order = place(a) - place(b);
  if (order !== 0) return order;
  return place(a) === 2 ? (b.closed ?? "").localeCompare(a.closed ?? "") : (a.deadline ?? "9999").localeCompare(b.deadline ?? "9999");
}

/** Whether an order is what was filtered for; without a state all that have not ended are. */
export function fits({ state, urgency, unit, cooperating = [] }: Order, filters: OrderFilters): boolean {
  if (filters.state === "" ? ENDED.includes(state) : filters.state !== "all" && state !== filters.state) return false;
  if (filters.urgency !== "" && urgency !== filters.urgency) return false;
  return filters.unit === "" || unit === filters.unit || cooperating.includes(filters.unit);
}

/** The choices of a filter by state: what there is, with how many of each. */
export function stateChoices(store: Store, page: OrderPage | null): [string, string][] {
  const by = page?.counts.by_state ?? {};
  const states = ORDER_STATES.filter((state) => by[state]).map((state): [string, string] => [state, `${orderState(store, state)} (${formatNumber(by[state] ?? 0)})`]);
  return [["", t("order.running")], ...states, ["all", t("order.all")]];
}

export function urgencyChoices(): [string, string][] {
  return [["", t("order.anyUrgency")], ...URGENCIES.map((one): [string, string] => [one, t(`order.urgency.${one}`)])];
}

export function orderList(desk: Desk, project: ProjectDetail): Page {
  const { store, filters } = desk;
  const head = h("div", { class: "order-head" });
  const list = h("ul", { class: "order-list", "aria-label": t("order.list") });
  let page: OrderPage | null = null;
  let error: unknown = null;

  const shown = (): Order[] =>
    (page?.orders ?? [])
      .filter((order) => fits(order, filters))
      .sort(byUrgency);

  const choose = (name: keyof typeof filters, label: string, choices: [string, string][]) => {
    const element = h(
      "select",
      {
        "aria-label": label,
        title: label,
        "data-filter": name,
        on: {
          change: () => {
            filters[name] = element.value;
            drawList();
          },
        },
      },
      ...choices.map(([value, title]) => h("option", { value }, title)),
    );
    element.value = filters[name];
    return element;
  };

  const drawHead = () => {
    const mayOrder = !desk.past && store.may("order", project.town);
    replace(
      head,
      h(
        "div",
        { class: "order-counts" },
        h("span", {}, h("strong", {}, formatNumber(page?.counts.open ?? 0)), t("order.open")),
        h("span", { class: page && page.counts.overdue > 0 ? "over" : "" }, h("strong", {}, formatNumber(page?.counts.overdue ?? 0)), t("order.overdue")),
        mayOrder &&
          h("button", { type: "button", class: "button small primary", on: { click: () => void openOrderForm(desk, project.id) } }, icon("plus"), t("order.new")),
      ),
      h(
        "div",
        { class: "order-filters" },
        choose("state", t("order.filter.state"), stateChoices(store, page)),
        choose("urgency", t("order.filter.urgency"), urgencyChoices()),
      ),
    );
  };

  const entry = (order: Order): HTMLElement =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: `order-entry ${order.urgency ?? "calm"}`, "data-order": order.id, on: { click: () => desk.look(order.id) } },
        h(
          "span",
          { class: "order-top" },
          urgencyLamp(order.urgency, false),
          h("span", { class: "order-number" }, order.number || t("order.noNumber")),
          h("span", { class: `tag order-state ${order.state}` }, orderState(store, order.state)),
        ),
        h("strong", {}, order.title),
        h("span", { class: "order-bottom" }, h("span", {}, unitName(store, order.unit)), deadline({ ...order, urgency: null }, desk.day)),
      ),
    );

  const drawList = () => {
    const found = shown();
    if (page === null) {
      return replace(list, error ? h("li", { class: "error-text", role: "alert" }, errorText(error)) : h("li", { class: "empty-note" }, t("chosen.loading")));
    }
    replace(list, ...found.map(entry), found.length === 0 && h("li", { class: "empty-note" }, t(page.orders.length === 0 ? "order.none" : "order.noneFound")));
  };

  const load = async () => {
    try {
      page = await writing.orders({ project: project.id, at: desk.past ? store.at : "" });
      error = null;
    } catch (raised) {
      error = raised;
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset["filter"];
    drawHead();
    drawList();
    if (focused) head.querySelector<HTMLElement>(`[data-filter=${focused}]`)?.focus();
  };
  drawHead();
  drawList();
  return { element: h("section", { class: "orders" }, head, list), load };
}
