/** Towns with their boundaries, and departments: what people and layers belong to. */
import { h, icon, replace } from "../dom";
import { formatNumber, languageChanged, localized, t } from "../i18n";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { office } from "./api";
import { squareKilometres } from "./boundaries";
import { boundaryMap } from "./boundaryMap";
import type { Desk } from "./desk";
import { type Column, List, named, shownOf } from "./list";
import { openDepartmentDialog, openTownDialog } from "./placeDialogs";
import { confirm } from "./told";
import type { Department, Person, Town } from "./types";

export function placesPage(desk: Desk): HTMLElement {
  let selected: string | null = null;
  /** How many people belong to a row. */
  const headcount = <Row>(of: (row: Row) => (person: Person) => boolean): Column<Row> => {
    const count = (row: Row) => desk.people.value?.filter(of(row)).length ?? 0;
    return { title: "places.people", width: "14%", number: true, order: count, cell: (row) => formatNumber(count(row)) };
  };
  const remove = (
    name: string,
    key: "places.removeTownAsked" | "places.removeDepartmentAsked",
    run: () => Promise<unknown>,
    after: () => Promise<void>,
  ) =>
    confirm(t("office.remove"), t(key, { name }), t("office.remove"), async () => {
      try {
        await run();
        await after();
      } catch (error) {
        toast(errorText(error), "error");
      }
    });
  const actions = (edit: (() => void) | null, gone: () => void, key: string) =>
    h(
      "span",
      { class: "row-actions" },
      edit && h("button", { type: "button", class: "link", "data-key": `edit ${key}`, on: { click: edit } }, t("office.change")),
      h("button", { type: "button", class: "link danger", "data-key": `remove ${key}`, on: { click: gone } }, t("office.remove")),
    );

  const select = (town: Town) => {
    selected = selected === town.id ? null : town.id;
    towns.mark();
    drawMap();
  };
  const towns = new List<Town>({
    label: () => t("places.towns"),
    id: (town) => town.id,
    open: select,
    selected: () => selected,
    columns: () => [
      {
        title: "places.name",
        order: (town) => localized(town.title),
        cell: (town) => named(localized(town.title) || town.id, town.id),
      },
      {
        title: "places.boundary",
        width: "26%",
        order: (town) => (town.boundary ? squareKilometres(town.boundary) : 0),
        cell: (town) =>
          town.boundary
            ? t("places.area", { n: formatNumber(squareKilometres(town.boundary), 2) })
            : h("span", { class: "tag warning" }, icon("warning"), t("places.noBoundary")),
      },
      headcount((town) => (person) => person.towns.includes(town.id)),
      {
        title: "office.actions",
        width: "24%",
        cell: (town) =>
          actions(
            () => openTownDialog(desk, town),
            () => remove(localized(town.title) || town.id, "places.removeTownAsked", () => office.removeTown(town.id), () => desk.towns.refresh()),
            town.id,
          ),
      },
    ],
  });
  const departments = new List<Department>({
    label: () => t("places.departments"),
    id: (one) => one.id,
    columns: () => [
      {
        title: "places.name",
        order: (one) => localized(one.title),
        cell: (one) => named(localized(one.title) || one.id, one.id),
      },
      headcount((one) => (person) => person.department === one.id),
      {
        title: "office.actions",
        width: "24%",
        cell: (one) =>
          actions(
            null,
            () => remove(localized(one.title) || one.id, "places.removeDepartmentAsked", () => office.removeDepartment(one.id), () => desk.departments.refresh()),
            one.id,
          ),
      },
    ],
  });

  const map = h("div", { class: "map-frame" });
  const drawMap = () => {
    const all = desk.towns.value ?? [];
    replace(
      map,
      all.some(({ boundary }) => boundary)
        ? boundaryMap(all, selected, select)
        : h("p", { class: "empty-note" }, t("places.noMap")),
    );
  };
  const townsHead = h("div", { class: "section-head" });
  const departmentsHead = h("div", { class: "section-head" });
  const head = (element: HTMLElement, title: string, hint: string, add: string, open: () => void) =>
    replace(
      element,
      h("div", {}, h("h2", {}, title), h("p", { class: "muted" }, hint)),
      h("button", { type: "button", class: "button primary", "aria-label": add, on: { click: open } }, icon("plus"), t("office.add")),
    );
  const draw = () => {
    head(townsHead, t("places.towns"), t("places.townsHint"), t("places.addTown"), () => openTownDialog(desk, null));
    head(departmentsHead, t("places.departments"), t("places.departmentsHint"), t("places.addDepartment"), () => openDepartmentDialog(desk));
    towns.show(shownOf(desk.towns, (all) => all, t("places.none")));
    departments.show(shownOf(desk.departments, (all) => all, t("places.noDepartments")));
    drawMap();
  };
  for (const source of [desk.towns, desk.departments, desk.people]) source.changed.on(draw);
  languageChanged.on(draw);
  draw();
  return h(
    "div",
    { class: "office-page places" },
    h("section", { class: "office-section towns" }, townsHead, h("div", { class: "towns-both" }, towns.element, map)),
    h("section", { class: "office-section" }, departmentsHead, departments.element),
  );
}
