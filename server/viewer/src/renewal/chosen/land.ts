/** Buildings one by one, and the parcels: what stands there, what is planned, what was approved. */
import { type Child, h, icon, replace } from "../../dom";
import { localized, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { openBuildings } from "../dialogs/buildings";
import { writing } from "../orders/api";
import type { Desk } from "../orders/desk";
import type { Page } from "../orders/list";
import type { Comparison, Figures, ParcelComparison } from "../orders/types";
import type { Store } from "../store";
import type { ProjectDetail } from "../types";
import { fixed, NOTHING } from "../../figures";
import { area, percent } from "../words";
import { buildings, demolished, section } from "./overview";
import { comma, semicolon } from "./punctuation";

type FigureName = keyof Figures;

const SHOWN: Record<FigureName, (value: number) => string> = {
  land_area: area,
  footprint: area,
  floor_area: area,
  far: (value) => fixed(value, 2),
  height: (value) => `${fixed(value, 1)} m`,
  density: (value) => percent(value),
  green_ratio: (value) => percent(value),
};
const ORDER = Object.keys(SHOWN) as FigureName[];

export function landPage(desk: Desk, project: ProjectDetail): Page {
  const { store } = desk;
  const compared = h("div", { class: "parcels" }, h("p", { class: "empty-note" }, t("chosen.loading")));
  const element = h(
    "div",
    { class: "chosen-parts" },
    section(
      t("chosen.buildings"),
      buildings(store, project),
      demolished(project),
      store.may("report", project.town) &&
        h(
          "p",
          { class: "part-actions" },
          h("button", { type: "button", class: "button small", on: { click: () => void openBuildings(desk, project) } }, icon("building"), t("buildings.change")),
        ),
    ),
    section(t("parcel.title"), compared),
  );
  const load = async () => {
    try {
      replace(compared, ...content(store, project, await comparisonOf(store, project.id)));
    } catch (error) {
      replace(compared, h("p", { class: "error-text", role: "alert" }, errorText(error)));
    }
  };
  return { element, load };
}

/** The last comparison: it is of now, so it stays while other days are looked at. */
let last: { of: string; told: Promise<Comparison> } | null = null;

function comparisonOf(store: Store, project: string): Promise<Comparison> {
  const of = `${project} ${store.revision}`;
  if (last?.of !== of) {
    const told = writing.comparison(project);
    last = { of, told };
    told.catch(() => (last = null));
  }
  return last.told;
}

function content(store: Store, project: ProjectDetail, { parcels }: Comparison): Child[] {
  if (parcels.length === 0) return [h("p", { class: "muted" }, t("parcel.none"))];
  const over = parcels.filter(({ exceeds }) => exceeds.length > 0);
  return [
    over.length > 0 &&
      h(
        "p",
        { class: "parcel-warning" },
        icon("warning"),
        h("span", {}, t("parcel.exceeding", { names: over.map(({ id, exceeds }) => `${id} (${exceeds.map(figureName).join(comma())})`).join(semicolon()) })),
      ),
    ...parcels.map((parcel) => table(store, project, parcel)),
  ];
}

function figureName(name: string): string {
  return name in SHOWN ? t(`parcel.${name as FigureName}`) : name;
}

function table(store: Store, project: ProjectDetail, parcel: ParcelComparison): HTMLElement {
  const use = store.overview.words.parcel_uses[parcel.use];
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = use?.color ?? "";
  const land = project.parcels.find(({ id, properties }) => (id ?? properties["id"]) === parcel.id)?.properties["land_area"];
  const known = ORDER.filter((name) => [parcel.existing, parcel.planned, parcel.approved].some((of) => typeof of?.[name] === "number"));
  const cell = (of: Figures | null, name: FigureName, over = false) => {
    const value = of?.[name];
    return h("td", { class: over ? "number over" : "number" }, over && icon("warning"), typeof value === "number" ? SHOWN[name](value) : NOTHING);
  };
  return h(
    "div",
    { class: parcel.exceeds.length > 0 ? "parcel exceeds" : "parcel" },
    h("h4", {}, swatch, h("span", {}, localized(use) || parcel.use), h("code", {}, parcel.id), typeof land === "number" && h("span", { class: "count" }, area(land))),
    known.length === 0
      ? h("p", { class: "muted" }, t("parcel.nothingKnown"))
      : h(
          "table",
          { class: "data-table parcel-table" },
          h("thead", {}, h("tr", {}, ...["", t("parcel.existing"), t("parcel.planned"), t("parcel.approved")].map((title, i) => h(i === 0 ? "td" : "th", { scope: i > 0 && "col" }, title)))),
          h(
            "tbody",
            {},
            ...known.map((name) =>
              h("tr", {}, h("th", { scope: "row" }, figureName(name)), cell(parcel.existing, name), cell(parcel.planned, name, parcel.exceeds.includes(name)), cell(parcel.approved, name)),
            ),
          ),
        ),
  );
}
