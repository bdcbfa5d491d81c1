/** All orders that are seen in one table: filtered, sorted, and each one way to its project. */
import { h, icon, replace } from "../../dom";
import { formatNumber, languageChanged, localized, t } from "../../i18n";
import { type Column, List } from "../../office/list";
import { openDialog } from "../../ui/dialog";
import { urgencyLamp } from "../chosen/lamp";
import { townName, unitName } from "../words";
import { writing } from "./api";
import { orderState } from "./course";
import type { Desk, OrderFilters } from "./desk";
import { byUrgency, fits, stateChoices, urgencyChoices } from "./list";
import { openOrderForm } from "./orderForm";
import type { Order, OrderPage } from "./types";
import { deadlineText } from "./words";

export function openAllOrders(desk: Desk): void {
  const { store } = desk;
  const { body, close } = openDialog(t("order.allTitle"), "renewal-dialog orders-dialog");
  const filters: OrderFilters & { town: string; text: string } = { state: "", urgency: "", unit: "", town: store.filters.town, text: "" };
  let page: OrderPage | null = null;
  let error: unknown = null;

  const due = (order: Order) => {
    const over = order.overdue_days > 0;
    return h(
      "span",
      { class: over ? "order-due over" : "order-due", title: deadlineText(order, desk.day) },
      urgencyLamp(order.urgency, false),
      h("span", {}, order.deadline ?? deadlineText(order, desk.day)),
      over && h("span", {}, t("order.daysOver", { n: order.overdue_days })),
    );
  };
  const columns = (): Column<Order>[] => [
    { title: "order.column.title", width: "27%", cell: (order) => [order.title, " ", h("span", { class: "muted" }, order.number ?? "")], order: ({ title }) => title },
    { title: "order.project", width: "20%", cell: ({ project_name, town }) => h("span", { class: "two-lines" }, project_name, h("span", { class: "muted" }, townName(store, town))), order: ({ project_name }) => project_name },
    { title: "order.unit", width: "14%", cell: ({ unit }) => unitName(store, unit), order: ({ unit }) => unitName(store, unit) },
    { title: "order.column.issued", width: "11%", cell: ({ issued }) => issued ?? "", order: ({ issued }) => issued ?? "" },
    { title: "order.column.deadline", cell: due, order: ({ deadline }) => deadline ?? "9999" },
    { title: "order.column.state", width: "10%", cell: ({ state }) => h("span", { class: `tag order-state ${state}` }, orderState(store, state)), order: ({ state }) => orderState(store, state) },
  ];
  const list = new List<Order>({
    label: () => t("order.allTitle"),
    columns,
    id: ({ id }) => id,
    open: (order) => {
      close();
      store.choose(order.project);
      desk.look(order.id);
    },
  });
  const bar = h("div", { class: "order-filters" });
  const counts = h("p", { class: "order-counts", role: "status" });

  const found = () => {
    const text = filters.text.trim().toLowerCase();
    return (page?.orders ?? [])
      .filter((order) => fits(order, filters) && (filters.town === "" || order.town === filters.town))
      .filter(({ title, number, project_name }) => `${title} ${number ?? ""} ${project_name}`.toLowerCase().includes(text))
      .sort(byUrgency);
  };
  const draw = () => {
    const rows = page && found();
    list.show({ rows, error, retry: () => void load(), empty: t("order.noneFound") });
    replace(
      counts,
      h("span", {}, h("strong", {}, formatNumber(page?.counts.open ?? 0)), t("order.open")),
      h("span", { class: page && page.counts.overdue > 0 ? "over" : "" }, h("strong", {}, formatNumber(page?.counts.overdue ?? 0)), t("order.overdue")),
      h("span", { class: "muted" }, t("order.shown", { n: rows?.length ?? 0 })),
    );
  };
  const choose = (name: "state" | "urgency" | "unit" | "town", label: string, choices: [string, string][]) => {
    const element = h(
      "select",
      {
        "aria-label": label,
        title: label,
        "data-filter": name,
        on: {
          change: () => {
            filters[name] = element.value;
            draw();
          },
        },
      },
      ...choices.map(([value, title]) => h("option", { value }, title)),
    );
    element.value = filters[name];
    return element;
  };
  const drawBar = () => {
    const { towns, units } = store.overview;
    const titled = (all: typeof towns) => all.map(({ id, title }): [string, string] => [id, localized(title)]);
    const text = h("input", { type: "search", "aria-label": t("order.search"), placeholder: t("order.search"), on: { input: () => ((filters.text = text.value), draw()) } });
    text.value = filters.text;
    replace(
      bar,
      choose("state", t("order.filter.state"), stateChoices(store, page)),
      choose("urgency", t("order.filter.urgency"), urgencyChoices()),
      choose("town", t("order.town"), [["", t("order.anyTown")], ...titled(towns)]),
      choose("unit", t("order.unit"), [["", t("order.anyUnit")], ...titled(units)]),
      text,
      store.may("order") &&
        !desk.past &&
        h("button", { type: "button", class: "button small primary", on: { click: () => void openOrderForm(desk, null) } }, icon("plus"), t("order.new")),
    );
  };
  const load = async () => {
    try {
      page = await writing.orders({ at: desk.past ? store.at : "" });
      error = null;
    } catch (raised) {
      error = raised;
    }
    drawBar();
    draw();
  };
  const stop = [store.loaded.on(() => void load()), languageChanged.on(close)];
  body.closest("dialog")!.addEventListener("close", () => stop.forEach((off) => off()));
  replace(body, counts, bar, list.element);
  drawBar();
  draw();
  void load();
}
