/** The card of the selected thing at the right: what it is, where, and what it says now. */
import type { App } from "../../app";
import { api } from "../../data/api";
import { h, icon, iconButton, replace } from "../../dom";
import { languageChanged, localized, t } from "../../i18n";
import { facts } from "../../ui/receipt";
import { drawingOf } from "../icons";
import { markOf } from "../marks";
import { layerName } from "../parts/words";
import { markSign, OTHER_CLASS } from "../signs";
import type { Datastream, Thing } from "../types";
import { levelMark } from "./levels";
import { bringToFront, goToFeature, goToThing } from "./places";
import { askSeries } from "./seriesApi";
import { propertyName, reading } from "./seriesNames";
import { drawSparkline, emptySparkline } from "./sparkline";
import { ago, DAY, moment } from "./when";

const SPARK_POINTS = 120;
const SPARKS_EVERY = 60_000;
const AGES_EVERY = 1_000;

/** The parts of a datastream that change while it is shown. */
interface Row {
  stream: Datastream;
  element: HTMLElement;
  value: HTMLElement;
  age: HTMLElement;
  state: HTMLElement;
  chart: HTMLButtonElement;
  spark: SVGSVGElement;
}

export function thingCard(app: App): HTMLElement {
  const { sensing, series } = app;
  const element = h("aside", { class: "panel attributes thing-card", hidden: true });
  const state = h("div", { class: "thing-state" });
  let rows: Row[] = [];
  let told = "";
  let asked = 0;

  const head = (thing: Thing): HTMLElement => {
    const known = sensing.classOf(thing);
    const sign = h("span", { class: "thing-icon", "aria-hidden": "true" }, drawing(drawingOf(known?.icon ?? "")));
    sign.style.backgroundColor = known?.color ?? OTHER_CLASS;
    return h(
      "header",
      { class: "attributes-head" },
      sign,
      h("div", { class: "attributes-title" }, h("p", { class: "attributes-class" }, localized(known?.title) || thing.class), h("h2", {}, thing.name)),
      iconButton("close", t("thing.close"), () => sensing.select(null)),
    );
  };

  const where = (thing: Thing): HTMLElement => {
    const layer = layerName(app, thing.layer);
    const { feature } = thing;
    const placed = thing.lon !== null && thing.lat !== null;
    const link = (label: string, run: () => Promise<void>) =>
      h("button", { type: "button", class: "link", on: { click: () => void run() } }, icon("target"), label);
    const on = feature === null ? null : link(feature, () => goToFeature(app, thing.layer, feature));
    if (on) void nameOf(thing.layer, feature!).then((name) => name && on.lastChild!.replaceWith(name));
    return facts([
      [t("attr.layer"), layer],
      [t("thing.feature"), on],
      [t("thing.place"), placed ? link(`${thing.lon!.toFixed(5)}°, ${thing.lat!.toFixed(5)}°`, () => goToThing(app, thing)) : t("thing.nowhere")],
    ]);
  };

  const row = (stream: Datastream): Row => {
    const name = propertyName(sensing, stream);
    const value = h("strong", { class: "stream-value" });
    const age = h("time", { class: "stream-age" });
    const mark = h("span", { class: "stream-state" });
    const spark = emptySparkline();
    const chart = iconButton("chart", "", () => (series.has(stream.id) ? series.remove(stream.id) : series.add(stream.id)), { class: "small" });
    const element = h(
      "li",
      { "data-stream": stream.id },
      h("span", { class: "stream-name", title: stream.key }, name),
      value,
      chart,
      h("span", { class: "stream-note" }, mark, age),
      spark,
    );
    return { stream, element, value, age, state: mark, chart, spark };
  };

  const write = (place: Element, text: string) => {
    if (place.textContent !== text) place.textContent = text;
  };

  const drawState = (thing: Thing) => {
    const alarm = app.alarms.openOf(thing.id);
    const level = alarm?.level ?? thing.alarm;
    const from = `${thing.state} ${level} ${alarm?.id}`;
    if (from === told) return;
    told = from;
    const look = () => {
      app.alarms.setOpen(true);
      void app.alarms.look(alarm!.id);
    };
    replace(
      state,
      h("p", { class: `thing-word ${thing.state}` }, markSign(thing.state), h("span", {}, t(`mark.${thing.state}`)), h("span", { class: "muted thing-updated" })),
      level !== null &&
        h(
          "p",
          { class: `thing-alarm level-${level}` },
          levelMark(level),
          alarm ? h("button", { type: "button", class: "link", on: { click: look } }, localized(alarm.title)) : t("thing.inAlarm"),
        ),
    );
  };

  /** What may have changed since it was drawn; nothing else is touched. */
  const sync = () => {
    const thing = sensing.selected;
    if (!thing || element.hidden) return;
    const now = Date.now();
    drawState(thing);
    write(state.querySelector(".thing-updated")!, thing.updated === null ? "" : t("thing.updated", { ago: ago(thing.updated, now) }));
    for (const { stream, element: line, value, age, state: mark, chart } of rows) {
      write(value, reading(stream.value, stream.unit));
      write(age, stream.time === null ? t("mark.never") : ago(stream.time, now));
      if (stream.time !== null) age.title = moment(stream.time);
      const sign = markOf(stream);
      if (mark.dataset["mark"] !== sign) {
        mark.dataset["mark"] = sign;
        const word = stream.alarm === null ? t(`mark.${stream.state}`) : "";
        replace(mark, stream.alarm !== null ? levelMark(stream.alarm) : stream.state !== "ok" && markSign(stream.state));
        mark.title = word;
        line.classList.toggle("old", stream.state !== "ok");
      }
      const picked = series.open && series.has(stream.id);
      const label = chart.disabled ? t("series.full") : t(picked ? "series.added" : "series.add", { name: propertyName(sensing, stream) });
      if (chart.title === label) continue;
      chart.setAttribute("aria-pressed", String(picked));
      chart.title = label;
      chart.setAttribute("aria-label", chart.title);
    }
  };
  const syncFull = () => {
    for (const { stream, chart } of rows) chart.disabled = series.open && series.full && !series.has(stream.id);
    sync();
  };

  const sparks = async () => {
    const of = ++asked;
    const end = Date.now();
    const shown = rows;
    if (shown.length === 0) return;
    try {
      const answer = await askSeries(shown.map(({ stream }) => stream.id), end - DAY, end, SPARK_POINTS);
      if (of !== asked) return;
      for (const one of answer.series) {
        const found = shown.find(({ stream }) => stream.id === one.datastream.id);
        if (found) drawSparkline(found.spark, one, [end - DAY, end]);
      }
    } catch {
      // The values stand without their pictures; that the server is away, the badge tells.
    }
  };

  const draw = () => {
    const thing = sensing.selected;
    element.hidden = thing === null;
    document.body.classList.toggle("thing-open", thing !== null);
    if (!thing) {
      rows = [];
      return replace(element);
    }
    told = "";
    element.setAttribute("aria-label", t("thing.label"));
    const scrolled = element.querySelector(".panel-scroll")?.scrollTop ?? 0;
    // Where the same streams are shown again, their pictures stay until newer ones come.
    const before = new Map(rows.map((one) => [one.stream.id, one.spark]));
    rows = thing.datastreams.map(row);
    for (const one of rows) {
      const known = before.get(one.stream.id);
      if (!known) continue;
      one.spark.replaceWith(known);
      one.spark = known;
    }
    const streams = rows.length === 0 ? h("p", { class: "empty-note" }, t("thing.noStreams")) : h("ul", { class: "streams" }, ...rows.map((one) => one.element));
    const all = h(
      "button",
      { type: "button", class: "button small", on: { click: () => series.add(...thing.datastreams.map(({ id }) => id)) } },
      icon("chart"),
      t("thing.chartAll"),
    );
    replace(element, head(thing), state, h("div", { class: "panel-scroll" }, where(thing), streams), rows.length > 1 && h("footer", { class: "thing-foot" }, all));
    element.querySelector(".panel-scroll")!.scrollTop = scrolled;
    syncFull();
    void sparks();
  };

  sensing.picked.on((id) => {
    if (id !== null) bringToFront("thing");
    draw();
  });
  app.selection.changed.on((picked) => bringToFront(picked === null ? "thing" : "feature"));
  sensing.listed.on(draw);
  sensing.changed.on((things) => sensing.selected && things.has(sensing.selected.id) && sync());
  app.alarms.changed.on(sync);
  series.changed.on(syncFull);
  languageChanged.on(draw);
  setInterval(sync, AGES_EVERY);
  setInterval(() => void (!document.hidden && sparks()), SPARKS_EVERY);
  return element;
}

/** What a feature is called; null where it has no name, or is not shown to whoever looks. */
async function nameOf(layer: string, id: string): Promise<string | null> {
  const page = await api.items(layer, [id], 1).catch(() => null); // its id stands there already
  const name = page?.features[0]?.properties["name"];
  return typeof name === "string" && name !== "" ? name : null;
}

function drawing(path: string): SVGSVGElement {
  const svg = icon("target");
  svg.querySelector("path")!.setAttribute("d", path);
  return svg;
}
