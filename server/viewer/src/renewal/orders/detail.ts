/** One order: its course, its time, what was asked, what was answered and with what, and who did what. */
import { type Child, h, icon, replace } from "../../dom";
import { t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { facts } from "../../ui/receipt";
import { evidenceTiles } from "../chosen/evidenceTiles";
import { eventList } from "../chosen/events";
import { urgencyLamp } from "../chosen/lamp";
import { unitName } from "../words";
import { writing } from "./api";
import { course, orderState } from "./course";
import type { Desk } from "./desk";
import type { Page } from "./list";
import { stepButtons } from "./steps";
import type { EvidenceDocument, Extension, Feedback, OrderDetail, Subject } from "./types";
import { deadlineText } from "./words";
import { comma } from "../chosen/punctuation";

export function orderDetail(desk: Desk, id: string): Page {
  const { store } = desk;
  const content = h("div", { class: "order-detail" }, h("p", { class: "empty-note" }, t("chosen.loading")));
  const element = h(
    "section",
    { class: "orders one" },
    h("button", { type: "button", class: "link order-back", on: { click: () => desk.look(null) } }, icon("back"), t("order.back")),
    content,
  );

  const head = (order: OrderDetail): Child[] => [
    h(
      "header",
      { class: `order-title ${order.urgency ?? "calm"}` },
      h(
        "span",
        { class: "order-top" },
        h("span", { class: "order-number" }, order.number || t("order.noNumber")),
        urgencyLamp(order.urgency),
        h("span", { class: `tag order-state ${order.state}` }, orderState(store, order.state)),
      ),
      h("h3", {}, order.title),
      h("p", { class: order.overdue_days > 0 ? "order-time over" : "order-time" }, deadlineText(order, desk.day)),
    ),
    course(store, order),
    stepButtons(desk, order),
  ];

  const about = (order: OrderDetail): HTMLElement =>
    facts([
      [t("order.project"), store.chosen === order.project ? null : projectLink(order)],
      [t("order.unit"), unitName(store, order.unit)],
      [t("order.task"), store.detail?.tasks.find((task) => task.id === order.task)?.title ?? order.task ?? null],
      [t("order.cooperating"), (order.cooperating ?? []).map((unit) => unitName(store, unit)).join(comma())],
      [t("order.issuedOn"), order.issued ? [order.issued, order.issued_by].filter(Boolean).join(comma()) : null],
      [t("order.deadline"), order.deadline ? `${order.deadline}${t(order.weekends_only.length > 0 ? "order.ofDaysWeekends" : "order.ofDays", { n: order.days ?? 5 })}` : null],
      [t("order.slip"), t(`order.slip.${order.light ?? "yellow"}`)],
      [t("order.closedOn"), order.closed ? [order.closed, order.closed_by].filter(Boolean).join(comma()) : null],
    ]);
  const projectLink = (order: OrderDetail) =>
    h(
      "button",
      {
        type: "button",
        class: "link",
        on: {
          click: () => {
            store.choose(order.project);
            desk.look(order.id);
          },
        },
      },
      order.project_name,
    );

  const answer = ({ date, text, by, evidence }: Feedback, shown: readonly Subject<EvidenceDocument>[]): HTMLElement =>
    h(
      "li",
      {},
      h("span", { class: "order-said" }, h("strong", {}, by || t("order.someone")), h("time", {}, date)),
      h("p", {}, text),
      (evidence ?? []).length > 0 && evidenceTiles(shown.filter((one) => evidence!.includes(one.id))),
    );
  const extension = ({ until, reason, state, by, answer: said }: Extension): HTMLElement =>
    h(
      "li",
      {},
      h(
        "span",
        { class: "order-said" },
        h("strong", {}, by || t("order.someone")),
        h("span", {}, t("order.until", { day: until })),
        h("span", { class: `tag ${state === "granted" ? "good" : state === "refused" ? "bad" : "warning"}` }, t(`order.extension.${state ?? "asked"}`)),
      ),
      h("p", {}, reason),
      !!said && h("p", { class: "muted" }, said),
    );
  const part = (title: string, ...children: Child[]) => h("section", { class: "order-part" }, h("h4", {}, title), ...children);

  const draw = (order: OrderDetail, shown: readonly Subject<EvidenceDocument>[]) => {
    const { feedback = [], extensions = [] } = order;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["step"];
    replace(
      content,
      ...head(order),
      part(t("order.issue"), h("p", { class: "order-text" }, order.issue)),
      about(order),
      order.state === "returned" && !!order.returned && part(t("order.returnedFor"), h("p", { class: "order-text bad" }, order.returned)),
      feedback.length > 0 && part(t("order.feedback"), h("ul", { class: "order-talk" }, ...feedback.map((one) => answer(one, shown)))),
      extensions.length > 0 && part(t("order.extensions"), h("ul", { class: "order-talk" }, ...extensions.map(extension))),
      !!order.conclusion && part(t("order.conclusion"), h("p", { class: "order-text" }, order.conclusion)),
      part(t("order.history"), eventList(store, order.events, false)),
    );
    if (focused) content.querySelector<HTMLElement>(`[data-step="${focused}"]`)?.focus();
  };

  const load = async () => {
    try {
      const order = await writing.order(id);
      const ids = (order.feedback ?? []).flatMap(({ evidence }) => evidence ?? []);
      draw(order, ids.length > 0 ? await writing.evidence(order.project) : []);
    } catch (error) {
      replace(content, h("p", { class: "error-text", role: "alert" }, errorText(error)));
    }
  };
  return { element, load };
}
