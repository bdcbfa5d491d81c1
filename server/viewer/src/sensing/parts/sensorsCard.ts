/** What the symbols mean, how many there are of each kind, and which are shown. */
import type { App } from "../../app";
import { type Child, h, icon, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { type Control, tick } from "../../ui/controls";
import { debounce } from "../../signal";
import { type Mark, markOf, MARKS } from "../marks";
import { goToThing } from "../panels/places";
import type { SensorsTool } from "../sensorsTool";
import { markSign, OTHER_CLASS, symbol } from "../signs";
import type { Thing } from "../types";
import { primary, withUnit } from "../values";
import { className, layerName, markName, markSentence } from "./words";

/** So many rows the list has at most. */
const ROWS = 60;

/** Milliseconds after which counts follow what comes. */
const FOLLOW = 400;

export function sensorsCard(app: App, { sensing, filter }: SensorsTool): Control {
  const element = h("div", { class: "controls sensors-card" });
  let open = false;

  const counted = <Key>(of: (thing: Thing) => Key): Map<Key, number> => {
    const counts = new Map<Key, number>();
    for (const thing of sensing.things.values()) counts.set(of(thing), (counts.get(of(thing)) ?? 0) + 1);
    return counts;
  };

  const section = (title: string, columns: number, rows: HTMLElement[]) =>
    h("section", { class: "legend" }, h("h3", {}, title), h("ul", { class: columns > 1 ? "sensor-rows two" : "sensor-rows", "aria-label": title }, ...rows));

  const row = <Word extends string>(hidden: Set<Word>, word: Word, sign: Child, title: string, count: number) => {
    const box = h("input", {
      type: "checkbox",
      "data-key": word,
      on: { change: () => filter.set(hidden, word, box.checked) },
    });
    box.checked = !hidden.has(word);
    const label = h("label", { title }, box, sign, h("span", { class: "legend-title" }, title), h("span", { class: "count" }, formatNumber(count)));
    return h("li", { class: "legend-row" }, label);
  };

  const show = tick(t("sensors.show"), () => filter.shown, (shown) => (filter.shown = shown));
  const count = h("span", { class: "count" });
  const legends = h("div", { class: "sensor-legends" });
  const list = h("ul", { class: "thing-list" });
  const details = h(
    "details",
    { on: { toggle: () => {
      open = details.open;
      drawList();
    } } },
    h("summary", {}, icon("chevron"), t("sensors.list")),
    list,
  );

  const thingRow = (thing: Thing) => {
    const said = primary(sensing, thing);
    const value = said?.value === null || !said ? "" : withUnit(said.value, said.unit);
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-pressed": String(thing === sensing.selected), "data-thing": thing.id, title: markSentence(markOf(thing)), on: { click: () => void goToThing(app, thing) } },
        markSign(markOf(thing)),
        h("span", { class: "legend-title" }, thing.name),
        h("span", { class: "count" }, value),
      ),
    );
  };

  const drawList = () => {
    if (!open) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["thing"];
    const found = [...sensing.things.values()].filter((thing) => filter.passes(thing));
    const rank = (thing: Thing) => MARKS.indexOf(markOf(thing));
    found.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, document.documentElement.lang, { numeric: true }));
    const left = found.length - ROWS;
    replace(list, ...found.slice(0, ROWS).map(thingRow), left > 0 && h("li", { class: "muted" }, t("sensors.more", { n: left })));
    if (focused) list.querySelector<HTMLElement>(`[data-thing="${focused}"]`)?.focus();
  };

  const draw = () => {
    if (sensing.things.size === 0) return replace(element, h("p", { class: "muted" }, t("sensors.none")));
    const focused = (document.activeElement as HTMLElement | null)?.dataset["key"];
    const [classes, marks, layers] = [counted((thing) => thing.class), counted(markOf), counted(({ layer }) => layer)];
    const shown = [...sensing.things.values()].filter((thing) => filter.passes(thing)).length;
    count.textContent = t("sensors.count", { shown, all: sensing.things.size });
    const order = [...sensing.classes.keys()];
    const place = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1) || (order.includes(name) ? 0 : order.length);
    const names = [...classes.keys()].sort((a, b) => place(a) - place(b));
    const look = (name: string) => {
      const { icon: drawing = "", color: colour = OTHER_CLASS } = sensing.classes.get(name) ?? {};
      return copyOf(symbol({ icon: drawing, colour, mark: "ok", selected: false, past: false }), 24);
    };
    const markRow = (mark: Mark) => row(filter.marks, mark, copyOf(markSign(mark), 16), markName(mark), marks.get(mark) ?? 0);
    // Two columns: states at the left, levels at the right.
    const states: Mark[] = ["ok", "a1", "stale", "a2", "silent", "a3", "never", "a4"];
    replace(
      legends,
      section(t("sensors.classes"), 2, names.map((name) => row(filter.classes, name, look(name), className(sensing, name), classes.get(name)!))),
      section(t("sensors.states"), 2, states.map(markRow)),
      layers.size > 1 &&
        section(t("sensors.layers"), 1, [...layers].map(([layer, n]) => row(filter.layers, layer, null, layerName(app, layer), n))),
    );
    if (focused) legends.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    if (!element.contains(details)) replace(element, h("div", { class: "sensors-head" }, show.element, count), legends, details);
    show.sync();
    drawList();
  };
  const later = debounce(FOLLOW, () => element.isConnected && draw());
  sensing.changed.on(later);
  draw();
  return { element, sync: draw };
}

/** A drawing that others use, to stand in the page. */
function copyOf(drawing: HTMLCanvasElement, size: number): HTMLCanvasElement {
  const copy = h("canvas", { class: "sign", width: drawing.width, height: drawing.height, "aria-hidden": "true" });
  copy.style.width = copy.style.height = `${size}px`;
  copy.getContext("2d")!.drawImage(drawing, 0, 0);
  return copy;
}
