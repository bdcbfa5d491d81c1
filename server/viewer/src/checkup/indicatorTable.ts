/** The indicators as a table: value, target, how they stand, what they are divided by and how much of it is known. */
import { type Child, h, replace } from "../dom";
import { NOTHING } from "../figures";
import { languageChanged, localized, t } from "../i18n";
import { sortHead } from "../ui/sorting";
import type { Store } from "./store";
import type { IndicatorEntry } from "./types";
import { amountText, recalledTag, shareText, standingLamp, standingOf, statusTag, targetText, unitOf, valueText, wordOf } from "./words";

interface Column {
  id: string;
  name: () => string;
  cell: (entry: IndicatorEntry) => Child;
  number?: boolean;
  fixed?: boolean;
}

function columns(store: Store): Column[] {
  return [
    { id: "met", name: () => t("checkup.table.met"), cell: ({ value }) => standingLamp(standingOf(value)) },
    { id: "code", name: () => t("checkup.table.code"), cell: ({ code }) => h("code", {}, code) },
    {
      id: "name",
      name: () => t("checkup.table.name"),
      cell: ({ code, name, proxy }) =>
        h(
          "span",
          { class: "indicator-name" },
          h("button", { type: "button", class: "link", title: localized(name), on: { click: () => store.choose(code) } }, localized(name)),
          proxy && h("span", { class: "tag warning", title: t("checkup.proxyHint") }, t("checkup.proxy")),
        ),
    },
    {
      id: "distance",
      name: () => t("checkup.table.value"),
      number: true,
      cell: (entry) => h("span", { class: `indicator-value ${standingOf(entry.value)}` }, h("b", {}, valueText(entry, entry.value.value)), h("small", {}, unitOf(entry))),
    },
    {
      id: "target",
      name: () => t("checkup.table.target"),
      fixed: true,
      number: true,
      cell: (entry) => h("span", { class: "indicator-target" }, recalledTag(entry), entry.target ? targetText(entry) : NOTHING),
    },
    {
      id: "surveyed",
      name: () => t("checkup.table.surveyed"),
      number: true,
      cell: ({ value }) =>
        h("span", { class: `surveyed${value.status === "partial" ? " in-part" : ""}` }, value.denominator !== null && value.denominator !== 1 ? h("small", {}, `÷ ${amountText(value.denominator)}`) : null, shareText(value.surveyed)),
    },
    {
      id: "status",
      name: () => t("checkup.table.status"),
      fixed: true,
      cell: ({ value }) =>
        h("span", { class: "indicator-status", title: localized(value.reason_text) }, statusTag(store, value.status), value.reason_text && h("span", { class: "reason" }, localized(value.reason_text))),
    },
  ];
}

export function indicatorTable(store: Store): HTMLElement {
  const head = h("tr");
  const body = h("tbody");
  const none = h("p", { class: "empty-note" });
  const note = h("p", { class: "unseen", role: "status" });
  const element = h(
    "section",
    { class: "indicator-stage" },
    note,
    h("div", { class: "projects-scroll", tabindex: 0, role: "region" }, h("table", { class: "indicator-table" }, h("thead", {}, head), body), none),
  );
  const sorted = () => {
    const sort = store.field("sort");
    return { id: sort.replace("-", "") || "code", down: sort.startsWith("-") };
  };
  const sortBy = (id: string) => {
    const now = sorted();
    store.filter({ sort: id === now.id && !now.down ? `-${id}` : id === "code" ? "" : id });
    head.querySelector<HTMLElement>("[aria-sort] button")?.focus();
  };
  const draw = () => {
    const all = columns(store);
    const entries = store.listed;
    const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>("tr[data-code]")?.dataset.code;
    body.parentElement!.parentElement!.setAttribute("aria-label", t("checkup.table"));
    note.textContent = t("checkup.found", { n: entries.length, all: store.run?.indicators.length ?? 0 });
    replace(head, ...sortHead(all, sorted(), sortBy));
    let level = "";
    const grouped = sorted().id === "code";
    const inLevels = grouped ? [...entries].sort((a, b) => levelRank(store, a) - levelRank(store, b)) : entries;
    replace(
      body,
      ...inLevels.flatMap((entry) => {
        const begins = grouped && entry.level !== level;
        level = entry.level;
        return [
          begins ? h("tr", { class: "level-row" }, h("th", { colspan: all.length, scope: "colgroup" }, wordOf(store.overview, "levels", entry.level))) : null,
          h(
            "tr",
            { "data-code": entry.code, class: entry.code === store.indicator?.code ? "chosen" : "", on: { click: () => store.choose(entry.code) } },
            ...all.map(({ id, cell, number }) => (id === "name" ? h("th", { scope: "row" }, cell(entry)) : h("td", { class: number ? "number" : "" }, cell(entry)))),
          ),
        ].filter((one): one is HTMLTableRowElement => one !== null);
      }),
    );
    none.hidden = entries.length > 0;
    none.textContent = t(store.run ? "checkup.table.none" : "checkup.nothing");
    if (focused !== undefined) body.querySelector<HTMLElement>(`tr[data-code="${CSS.escape(focused)}"] button`)?.focus();
  };
  store.loaded.on(draw);
  store.filtered.on(draw);
  store.chosenChanged.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}

function levelRank(store: Store, { level }: IndicatorEntry): number {
  return Object.keys(store.overview.words.levels).indexOf(level);
}
