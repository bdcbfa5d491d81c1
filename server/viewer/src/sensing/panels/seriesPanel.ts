/** The chart of picked series: what it shows and since when, the picture, the table, the files. */
import type { App } from "../../app";
import { h, icon, iconButton, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import { may } from "../../rights";
import { choice, type Control } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { toast } from "../../ui/toast";
import { csvOf, pngOf, save, svgOf } from "./seriesFiles";
import { showThing } from "./places";
import type { SeriesOf } from "./seriesApi";
import { reading, seriesName, shortNames } from "./seriesNames";
import { unitsOf } from "./seriesDrawing";
import { number, seriesSheet } from "./seriesSheet";
import { type SpanName, SPANS } from "./seriesStore";
import { seriesTable } from "./seriesTable";
import { fromInput, toInput } from "./when";

const SLIDE_EVERY = 1_000;
type View = "chart" | "table";

export function seriesPanel(app: App): HTMLElement {
  const store = app.series;
  const sheet = seriesSheet(app, store);
  const table = seriesTable(app, store);
  const head = h("header", {});
  const title = h("h2");
  const own = h("form", { class: "series-own", hidden: true });
  const picks = h("ul", { class: "series-picks" });
  const note = h("p", { class: "series-note", role: "status" });
  const element = h("section", { class: "panel table-panel series-panel", hidden: true }, head, own, picks, note, sheet.element, table.element);
  let view: View = "chart";
  let choosing = false;
  let controls: Control[] = [];
  let back: HTMLButtonElement | null = null;
  let drawn = 0;

  const file = (name: string, make: () => Blob | Promise<Blob> | null) => {
    const run = async () => {
      try {
        const blob = await make();
        if (blob) save(blob, `series.${name.toLowerCase()}`);
      } catch (error) {
        toast(errorText(error), "error");
      }
    };
    return h("button", { type: "button", class: "link", on: { click: () => void run() } }, icon("download"), name);
  };
  const csv = () => new Blob([csvOf(store.series, store.extentAt(Date.now()))], { type: "text/csv;charset=utf-8" });
  const picture = (as: (svg: SVGSVGElement) => Blob | Promise<Blob>) => () => {
    const svg = sheet.svg();
    return svg && as(svg);
  };

  const rangeName = (): SpanName | "own" | null => {
    if (choosing || !("span" in store.range)) return "own";
    const { span } = store.range;
    return (Object.keys(SPANS) as SpanName[]).find((name) => SPANS[name] === span) ?? null;
  };

  const drawHead = () => {
    const ranges = [...(Object.keys(SPANS) as SpanName[]), "own" as const].map((name) => [name, t(`series.range.${name}`)] as const);
    const range = choice(t("series.range"), ranges, rangeName, (name) => {
      choosing = name === "own";
      if (name === "own") return drawOwn();
      store.show({ span: SPANS[name] });
    });
    const views = choice<View>(t("series.view"), [["chart", t("series.chart")], ["table", t("series.table")]], () => view, (name) => {
      view = name;
      draw();
    });
    controls = [range, views];
    back = iconButton("undo", t("series.back"), () => store.back(), { class: "small" });
    replace(
      head,
      title,
      range.element,
      back,
      views.element,
      h("div", { class: "table-files" }, ...(may("export") ? [file("CSV", csv), file("PNG", picture(pngOf)), file("SVG", picture(svgOf))] : [])),
      iconButton("close", t("series.close"), () => store.close()),
    );
  };

  const drawOwn = () => {
    controls.forEach((control) => control.sync());
    if (own.hidden === !choosing) return; // what is typed there stays
    own.hidden = !choosing;
    if (!choosing) return replace(own);
    const [start, end] = store.extentAt(Date.now());
    const field = (name: string, label: string, time: number) =>
      h("input", { type: "datetime-local", name, "aria-label": label, value: toInput(time), required: true });
    const [first, last] = [field("start", t("series.from"), start), field("end", t("series.to"), end)];
    replace(own, t("series.from"), first, t("series.to"), last, h("button", { type: "submit", class: "button small" }, t("series.show")));
    first.focus();
    own.onsubmit = (event) => {
      event.preventDefault();
      const [from, to] = [fromInput(first.value), fromInput(last.value)];
      last.setCustomValidity(from < to ? "" : t("series.backwards"));
      if (!own.reportValidity()) return;
      choosing = false;
      store.show({ start: from, end: to });
    };
    last.oninput = first.oninput = () => last.setCustomValidity("");
  };

  /** What is known of a datastream that is picked, from its series or from its thing. */
  const about = (id: number): SeriesOf => {
    const found = store.series.find(({ datastream }) => datastream.id === id);
    if (found) return found.datastream;
    const known = app.sensing.streams.get(id);
    if (!known) return { id, key: "", name: "…", property: "", unit: null, thing: -1, thing_name: "…" };
    return { ...known.datastream, thing: known.thing.id, thing_name: known.thing.name };
  };
  const pick = (id: number, n: number) => {
    const series = about(id);
    const name = seriesName(app.sensing, series);
    const short = shortNames(app.sensing, store.picks.map(about))[n]!;
    const go = () => showThing(app, series.thing);
    return h(
      "li",
      { "data-stream": id },
      number(n),
      h("button", { type: "button", class: "link series-pick", title: name, on: { click: go } }, short),
      h("span", { class: "series-value" }),
      iconButton("close", t("series.remove", { name }), () => store.remove(id), { class: "small" }),
    );
  };
  /** What each said last, while the picks stay as they are. */
  const drawValues = () => {
    store.picks.forEach((id, n) => {
      const place = picks.children[n]?.querySelector(".series-value");
      const found = store.series.find(({ datastream }) => datastream.id === id);
      const text = found && store.follows ? reading(found.values.at(-1) ?? null, found.datastream.unit) : "";
      if (place && place.textContent !== text) place.textContent = text;
    });
  };

  const drawSheet = () => {
    drawn = Date.now();
    if (view === "chart") sheet.draw();
    else table.draw();
    drawValues();
  };

  const noteText = (): string => {
    if (store.error) return errorText(store.error);
    if (store.series.length === 0) return store.busy ? t("series.loading") : "";
    if (store.series.every(({ times }) => times.length === 0)) return t("series.nothing");
    return "";
  };

  const draw = () => {
    element.hidden = !store.open;
    document.body.classList.toggle("series-open", store.open);
    if (!store.open) return;
    // They stand in the same place.
    if (app.table.of) app.table.close();
    if (app.charts.drawing) app.charts.open(null);
    const things = new Set(store.picks.map((id) => about(id).thing_name));
    title.textContent = things.size === 1 ? [...things][0]! : t("series.title");
    title.title = title.textContent;
    element.setAttribute("aria-label", t("series.title"));
    element.classList.toggle("tall", unitsOf(store.series) > 2);
    element.setAttribute("aria-busy", String(store.busy));
    if (!("span" in store.range)) choosing = false;
    drawOwn();
    back!.hidden = !store.zoomed;
    replace(picks, ...store.picks.map(pick));
    note.textContent = noteText();
    note.hidden = note.textContent === "";
    note.classList.toggle("error-text", Boolean(store.error));
    sheet.element.hidden = view !== "chart";
    table.element.hidden = view !== "table";
    drawSheet();
  };

  store.changed.on(draw);
  store.grown.on(drawSheet);
  app.table.changed.on(() => app.table.of && store.close());
  app.charts.changed.on(() => app.charts.drawing && store.close());
  app.live.resumed.on(() => void store.load());
  app.sensing.changed.on(() => {
    for (const id of store.open ? store.picks : []) {
      const found = app.sensing.streams.get(id)?.datastream;
      if (found && found.time !== null && found.value !== null) store.grow(id, found.time, found.value);
    }
  });
  // The picture moves on with the time, a pixel at a time.
  setInterval(() => {
    if (!store.open || !("span" in store.range) || view !== "chart" || document.hidden) return;
    if (Date.now() - drawn >= store.range.span / Math.max(1, sheet.element.clientWidth)) sheet.draw();
  }, SLIDE_EVERY);
  const write = () => {
    own.hidden = true;
    drawHead();
    draw();
  };
  languageChanged.on(write);
  write();
  return element;
}
