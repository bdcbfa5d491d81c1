/** The features that changed, page by page; each unfolds to what it was and what it is. */
import type { App } from "../app";
import { toBbox3D } from "../camera";
import { type Open, PAGE } from "../comparison";
import { api } from "../data/api";
import type { FeatureChange, PropertyChange } from "../data/types";
import { KINDS } from "../differences";
import { h, replace } from "../dom";
import { formatNumber, t } from "../i18n";
import { pickedOf } from "../selection";
import { debounce } from "../signal";
import type { TextKey } from "../texts";
import { formatValue } from "./attributes";
import { errorText } from "./errors";
import { signOf } from "./kindSign";
import { classTitle } from "./names";
import { facts } from "./receipt";

/** Switching several kinds at once asks the server once. */
const SETTLE = 120;

/** What a feature itself says, as the rest of the page calls it. */
const OWN: Record<string, TextKey> = {
  class: "attr.class",
  name: "attr.name",
  type: "attr.type",
  storey: "attr.storey",
  parent: "attr.parent",
  system: "attr.system",
  material: "attr.material",
  surface: "compare.surface",
};

interface Row {
  change: FeatureChange;
  element: HTMLElement;
  unfold: (open: boolean) => void;
}

export function changesTable(app: App, open: Open): { element: HTMLElement; sync: () => void } {
  const count = h("span", { class: "count", role: "status" });
  const list = h("ul", { class: "changes", "aria-label": t("compare.changes") });
  const more = h("button", { type: "button", class: "button small more", hidden: true });
  const note = h("p", { class: "empty-note", hidden: true });
  const element = h(
    "section",
    { class: "changes-section" },
    h("div", { class: "changes-head" }, h("h3", {}, t("compare.changes")), count),
    list,
    more,
    note,
  );
  let rows = new Map<string, Row>();
  let shownKinds: string | null = null;
  let asked = 0;

  const say = (text: string, error = false) => {
    note.hidden = text === "";
    note.textContent = text;
    note.classList.toggle("error-text", error);
  };

  const kinds = () => KINDS.filter((kind) => !open.off.has(kind));

  const load = async (after?: string) => {
    const wanted = kinds();
    const turn = ++asked;
    if (wanted.length === 0) return show([], 0, after);
    try {
      const page = await api.comparison(open, wanted, PAGE, after);
      if (turn === asked) show(page.changes, page.numberMatched, after);
    } catch (error) {
      if (turn === asked) say(t("compare.listFailed", { detail: errorText(error) }), true);
    }
  };

  const show = (changes: FeatureChange[], matched: number, after: string | undefined) => {
    if (after === undefined) {
      rows = new Map();
      list.replaceChildren();
    }
    for (const change of changes) {
      const row = changeRow(app, open, change, () => toggle(change));
      rows.set(change.id, row);
      list.append(row.element);
    }
    const left = matched - rows.size;
    more.hidden = left <= 0;
    more.textContent = t("compare.more", { n: Math.min(PAGE, left) });
    count.textContent = formatNumber(matched);
    const differs = KINDS.some((kind) => open.counts[kind] > 0);
    say(matched > 0 ? "" : t(differs ? "compare.noneShown" : "compare.none"));
    mark();
  };

  /** A row that is clicked is unfolded, selected and flown to; clicked again, it is folded. */
  const toggle = (change: FeatureChange) => {
    const { current } = app.selection;
    const row = rows.get(change.id)!;
    const isOpen = row.element.classList.contains("unfolded");
    row.unfold(!isOpen);
    if (isOpen && current?.id === change.id) return;
    const layer = app.layers.get(open.layer);
    const bbox = toBbox3D(change.bbox);
    if (!layer || !bbox) return; // it only groups others
    app.selection.select(pickedOf(layer, change.id, app.comparison.versionWith(change.kinds)));
    void app.camera.flyTo(bbox);
  };

  const mark = () => {
    const { current } = app.selection;
    for (const [id, { element: row }] of rows) {
      const selected = current?.layer === open.layer && current.id === id;
      row.classList.toggle("selected", selected);
      if (selected) row.scrollIntoView({ block: "nearest" });
    }
  };

  more.addEventListener("click", () => void load([...rows.keys()].at(-1)));
  const reload = debounce(SETTLE, () => void load());
  const stop = app.selection.changed.on(() => (element.isConnected ? mark() : stop()));
  const sync = () => {
    const wanted = kinds().join(",");
    if (wanted === shownKinds) return;
    if (shownKinds === null) void load();
    else reload();
    shownKinds = wanted;
  };
  return { element, sync };
}

function changeRow(app: App, open: Open, change: FeatureChange, click: () => void): Row {
  const layer = app.layers.get(open.layer);
  const button = h(
    "button",
    { type: "button", class: "change-head", "aria-expanded": "false", "data-id": change.id, on: { click } },
    h("span", { class: "signs" }, ...change.kinds.map(signOf)),
    h(
      "span",
      { class: "change-name" },
      h("strong", {}, change.name || t("attr.unnamed")),
      h("span", { class: "muted" }, classTitle(layer, change.class)),
    ),
    h("span", { class: "change-what" }, ...summary(change).map((line) => h("span", {}, line))),
  );
  const details = h("div", { class: "change-details", hidden: true });
  const element = h("li", { class: "change" }, button, details);
  const unfold = (isOpen: boolean) => {
    button.setAttribute("aria-expanded", String(isOpen));
    element.classList.toggle("unfolded", isOpen);
    details.hidden = !isOpen;
    replace(details, ...(isOpen ? describe(open, change) : []));
  };
  return { change, element, unfold };
}

function summary(change: FeatureChange): string[] {
  const parts: string[] = [];
  if (change.displacement) {
    const metres = Math.hypot(...change.displacement);
    if (metres >= 0.0005) parts.push(t("compare.movedBy", { n: formatNumber(metres, 3) }));
    if (change.rotation) parts.push(t("compare.turnedBy", { n: formatNumber(change.rotation, 1) }));
  }
  if (change.properties.length > 0) parts.push(t("compare.properties", { n: change.properties.length }));
  return parts;
}

function describe(open: Open, change: FeatureChange): HTMLElement[] {
  const names = change.kinds.map((kind) => h("span", { class: "tag" }, t(`kind.${kind}`)));
  const parts: HTMLElement[] = [h("p", { class: "change-kinds" }, ...names)];
  if (change.displacement) {
    const [east, north, up] = change.displacement;
    const metres = (value: number) => `${formatNumber(value, 3)} m`;
    parts.push(
      facts([
        [t("compare.east"), metres(east)],
        [t("compare.north"), metres(north)],
        [t("compare.up"), metres(up)],
        [t("compare.turn"), change.rotation ? `${formatNumber(change.rotation, 2)}°` : null],
      ]),
    );
  }
  if (change.properties.length > 0) parts.push(propertyTable(open, change.properties));
  return parts;
}

function propertyTable(open: Open, changes: PropertyChange[]): HTMLElement {
  const head = (text: string) => h("th", { scope: "col" }, text);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        head(t("compare.property")),
        head(t("layer.version", { n: open.from })),
        head(t("layer.version", { n: open.to })),
      ),
    ),
    h(
      "tbody",
      {},
      ...changes.map((change) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row" },
            change.set !== null && h("span", { class: "muted" }, change.set),
            ownName(change),
          ),
          value(change.before, change.unit_before),
          value(change.after, change.unit_after),
        ),
      ),
    ),
  );
}

function ownName(change: PropertyChange): string {
  const key = change.set === null ? OWN[change.property] : undefined;
  return key ? t(key) : change.property;
}

function value(given: PropertyChange["before"], unit: string | null | undefined): HTMLElement {
  if (given === undefined) return h("td", { class: "muted" }, t("compare.absent"));
  return h("td", {}, formatValue(given, unit ?? null));
}
