/** The households of a project: personal data, for the few who may see them. */
import { h, icon, replace } from "../../dom";
import { formatNumber, localized, t } from "../../i18n";
import { save } from "../../sensing/panels/seriesFiles";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";
import { openHousehold } from "../dialogs/household";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { Page } from "../orders/list";
import type { HouseholdDocument, Subject } from "../orders/types";
import type { ProjectDetail } from "../types";

type Stored = Subject<HouseholdDocument>;

const PAGE = 100;
/** The most that the server tells at once. */
const MOST = 2000;

export function householdsPage(desk: Desk, project: ProjectDetail): Page {
  const { store } = desk;
  const states = Object.entries(store.overview.words.household_states);
  const mayChange = store.may("report", project.town);
  const mayTake = store.may("export", project.town);
  let all: Stored[] = [];
  let next: string | null = null;
  const state = h(
    "select",
    { "aria-label": t("household.state"), on: { change: () => void read([], null, PAGE) } },
    h("option", { value: "" }, t("household.anyState")),
    ...states.map(([id, title]) => h("option", { value: id }, localized(title))),
  );
  const shown = h("div", {});
  const take = async () => {
    try {
      const { blob, name } = await writing.householdsFile(project.id);
      save(blob, name || `${project.id}-households.csv`);
    } catch (error) {
      toast(errorText(error), "error");
    }
  };
  const area = (value: number | undefined) => (value === undefined ? "" : formatNumber(value, 1));
  const line = (one: Stored) => {
    const { number, holder, persons, area_legal, area_illegal, building, state: is } = one.document;
    const name = localized(states.find(([id]) => id === (is ?? "unsigned"))?.[1]) || is;
    return h(
      "tr",
      { "data-household": one.id },
      h("th", { scope: "row" }, number),
      h("td", {}, holder ?? ""),
      h("td", {}, mayChange ? h("button", { type: "button", class: "link", title: t("household.change"), on: { click: () => openHousehold(desk, one) } }, name) : name),
      h("td", {}, building ?? ""),
      h("td", { class: "number" }, persons === undefined ? "" : formatNumber(persons)),
      h("td", { class: "number" }, area(area_legal)),
      h("td", { class: "number" }, area(area_illegal)),
    );
  };
  const draw = () => {
    const titles = ["number", "holder", "state", "building", "persons", "legal", "illegal"] as const;
    replace(
      shown,
      h(
        "div",
        { class: "table-scroll whole" },
        h("table", { class: "data-table" }, h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, t(`household.${title}`))))), h("tbody", {}, ...all.map(line))),
      ),
      all.length === 0 && h("p", { class: "empty-note" }, t("household.none")),
      next !== null && h("p", { class: "part-actions" }, h("button", { type: "button", class: "button small", on: { click: () => void more() } }, t("household.more"))),
    );
  };
  const page = (after: string | null, limit: number) => writing.households(project.id, { state: state.value, limit: String(limit), after });
  const failed = (error: unknown) => replace(shown, h("p", { class: "error-text", role: "alert" }, errorText(error)));
  const read = async (before: Stored[], after: string | null, limit: number) => {
    try {
      const found = await page(after, limit);
      all = [...before, ...found.households];
      next = found.next ?? null;
      draw();
    } catch (error) {
      failed(error);
    }
  };
  const more = () => read(all, next, PAGE);
  // As many as there were: whoever changed one finds it where it was.
  const load = () => read([], null, Math.min(Math.max(PAGE, all.length), MOST));
  const element = h(
    "section",
    { class: "chosen-part" },
    h("p", { class: "households-note" }, icon("lock"), t("household.personal")),
    h(
      "div",
      { class: "order-filters" },
      state,
      mayTake && h("button", { type: "button", class: "button small", on: { click: () => void take() } }, icon("download"), t("household.csv")),
    ),
    shown,
  );
  return { element, load };
}
