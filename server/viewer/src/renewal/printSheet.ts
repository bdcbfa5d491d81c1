/** What is printed, on A4 across: the map as a picture, the sums, the towns and the projects as tables. */
import { h, replace } from "../dom";
import { formatTime, localized, t } from "../i18n";
import { FILTERS } from "./api";
import { byUrgency } from "./attention";
import type { Store } from "./store";
import { amount, lightName, percent, points, stageName, townName, unitName, unitOf } from "./words";

const DEMOLISHED = "floor-area-demolished";
const INVESTED = "investment";

const number = (is: boolean) => (is ? { class: "number" } : {});

function table(head: string[], rows: string[][], words: number): HTMLElement {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...head.map((text, i) => h("th", number(i >= words), text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((text, i) => h("td", number(i >= words), text))))),
  );
}

/** The filters that are on, as people read them. */
function filtersText(store: Store): string {
  const { filters, overview } = store;
  const names: Record<(typeof FILTERS)[number], (id: string) => string> = {
    town: (id) => townName(store, id),
    unit: (id) => unitName(store, id),
    type: (id) => localized(overview.words.project_types[id]),
    mode: (id) => localized(overview.words.modes[id]),
    stage: (id) => stageName(store, id),
    light: (id) => lightName(id as "red"),
    q: (text) => text,
  };
  return FILTERS.filter((name) => filters[name] !== "").map((name) => names[name](filters[name])).join(" · ");
}

/** Fills the sheet; `picture` is null where there is no map. */
export function fillSheet(sheet: HTMLElement, store: Store, city: string, picture: HTMLCanvasElement | null): void {
  const { totals } = store;
  const demolished = store.metric(DEMOLISHED);
  const invested = store.metric(INVESTED);
  const withUnit = (name: string, of: typeof demolished) => `${name} (${unitOf(of)})`;
  const day = t("renewal.time.asOf", { day: store.at }) + (store.then ? ` (${t("renewal.time.asKnown")})` : "");
  const sums = totals && [
    `${t("renewal.total.projects")} ${totals.projects}`,
    `${lightName("red")} ${totals.lights.red}, ${lightName("yellow")} ${totals.lights.yellow}, ${lightName("green")} ${totals.lights.green}`,
    `${t("renewal.total.demolished")} ${amount(demolished, totals.metrics[DEMOLISHED]?.actual)} ${unitOf(demolished)}`,
    `${t("renewal.total.signing")} ${percent(totals.signing.rate)}`,
    `${t("renewal.total.investment")} ${amount(invested, totals.metrics[INVESTED]?.actual)} ${unitOf(invested)}`,
    `${t("renewal.total.orders")} ${totals.orders.open}, ${t("renewal.overdue", { n: totals.orders.overdue })}`,
  ];
  replace(
    sheet,
    h("header", {}, h("h1", {}, `${city} – ${t("renewal.title")}`), h("p", {}, [day, filtersText(store)].filter(Boolean).join(" · "))),
    h("p", { class: "print-sums" }, ...(sums ?? []).map((text) => h("span", {}, text))),
    h(
      "div",
      { class: "print-top" },
      picture && h("img", { class: "print-map", src: picture.toDataURL("image/jpeg", 0.9), alt: t("renewal.map") }),
      h(
        "section",
        {},
        h("h2", {}, t("renewal.table.towns")),
        table(
          [t("renewal.table.rank"), t("renewal.filter.town"), t("renewal.table.lights"), t("renewal.table.done"), t("renewal.table.points"), t("renewal.table.signing"), t("renewal.table.overdue")],
          store.towns.map((town) => [
            String(town.rank ?? "–"),
            localized(town.title) || town.id,
            `${town.lights.red} / ${town.lights.yellow} / ${town.lights.green}`,
            percent(town.share_actual),
            points(town.points),
            percent(town.signing.rate),
            String(town.orders.overdue),
          ]),
          2,
        ),
      ),
    ),
    h("h2", {}, t("renewal.table")),
    table(
      [t("renewal.filter.light"), t("renewal.table.name"), t("renewal.filter.town"), t("renewal.filter.stage"), withUnit(t("renewal.table.demolished"), demolished), t("renewal.table.done"), t("renewal.table.due"), t("renewal.table.points"), t("renewal.table.signing"), withUnit(t("renewal.table.investment"), invested), t("renewal.table.overdue")],
      [...store.found].sort(byUrgency).map(({ light, name, town, stage, template, metrics, signing, orders, ...shares }) => [
        lightName(light),
        name,
        townName(store, town),
        stageName(store, stage, template),
        amount(demolished, metrics[DEMOLISHED]?.actual),
        percent(shares.share_actual),
        percent(shares.share_planned),
        points(shares.points),
        percent(signing.rate),
        amount(invested, metrics[INVESTED]?.actual),
        String(orders.overdue),
      ]),
      4,
    ),
    h("p", { class: "muted" }, t("renewal.print.made", { when: formatTime(new Date().toISOString()) })),
  );
}
