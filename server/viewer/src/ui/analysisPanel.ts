/** Questions to the city: the process, its form, where on the map, and the answer. */
import type { App } from "../app";
import { isDrawing, isGrid, isSketch, isTable, type ProcessResult } from "../data/processes";
import { h, icon, replace } from "../dom";
import { formatNumber, languageChanged, t } from "../i18n";
import { limitsTitle } from "./binTitle";
import type { Here } from "../tools/here";
import { choice } from "./controls";
import { errorText } from "./errors";
import { inLanguage, processForm } from "./processForm";
import { openReceipt } from "./receipt";
import { resultTable } from "./resultTable";
import { sketchLegend } from "./sketchLegend";

/** The share of the panel that stays above a new answer. */
const ABOVE_ANSWER = 0.3;

export function analysisPanel(app: App): HTMLElement {
  const { analysis } = app;
  const here = app.toolbox.tool("here") as Here;
  const head = h("div", { class: "analysis-head" });
  const form = h("div", { class: "analysis-form" });
  const place = h("div", { class: "analysis-place" });
  const answer = h("div", { class: "analysis-answer", "aria-live": "polite" });
  const panel = h("div", { class: "panel-scroll analysis" }, head, place, form, answer);
  let formOf = "";
  let answered: ProcessResult | null = null;

  const drawHead = () => {
    const select = h(
      "select",
      {
        "aria-label": t("analysis.process"),
        on: { change: () => void analysis.choose(select.value === "" ? null : select.value) },
      },
      ...(analysis.process ? [] : [h("option", { value: "" }, t("analysis.choose"))]),
      ...analysis.processes.map((one) => h("option", { value: one.id }, inLanguage(one.title, one.title_zh))),
    );
    select.value = analysis.process?.id ?? "";
    const { process } = analysis;
    const about = process && inLanguage(process.description, process.description_zh);
    replace(head, select, about ? h("p", { class: "muted" }, about) : null);
  };

  /** The form keeps the focus, so it is drawn only for another process, language or layers. */
  const drawForm = (key: string) => {
    if (key === formOf) return;
    formOf = key;
    replace(form, analysis.process && processForm(app));
  };

  const drawPlace = () => {
    if (!analysis.process) return replace(place);
    const inputs = analysis.placeInputs;
    const modes = here.input === null ? [] : here.modesOf(here.input);
    const held = () => {
      if (app.toolbox.active !== here) app.toolbox.press("here");
    };
    replace(
      place,
      // Which place the next click is for, where a question is about several.
      inputs.length > 1 &&
        choice(
          t("analysis.place"),
          inputs.map((name) => {
            const { title, title_zh } = analysis.process!.inputs[name]!;
            return [name, inLanguage(title, title_zh)] as const;
          }),
          () => here.input,
          (name) => {
            held();
            here.focus(name);
          },
        ).element,
      modes.length > 1 &&
        choice(
          t("analysis.place"),
          modes.map((mode) => [mode, t(`analysis.${mode}`)] as const),
          () => here.mode,
          (mode) => {
            held();
            here.choose(mode);
          },
        ).element,
      inputs.length > 0 && h("p", { class: "muted" }, t(`analysis.${here.mode}Hint`)),
      h(
        "button",
        {
          type: "button",
          class: "button primary small",
          disabled: !here.allReady || analysis.busy,
          on: { click: () => void here.ask() },
        },
        icon("search"),
        t(analysis.busy ? "analysis.busy" : "analysis.ask"),
      ),
    );
  };

  const drawAnswer = () => {
    if (analysis.error) return replace(answer, h("p", { class: "error-text" }, errorText(analysis.error)));
    const { result } = analysis;
    replace(answer, ...(result ? sections(app, result) : []));
    if (result !== null && result !== answered) bringUp();
    answered = result;
  };

  /** A long form hides that there is an answer, so as much of it is shown as there is room for. */
  const bringUp = () => {
    const below = answer.getBoundingClientRect().top - panel.getBoundingClientRect().top;
    panel.scrollTop += Math.max(0, below - ABOVE_ANSWER * panel.clientHeight);
  };

  const draw = () => {
    drawHead();
    drawPlace();
    drawForm([analysis.process?.id, document.documentElement.lang, app.layers.all.size, analysis.filled].join(" "));
    drawAnswer();
  };
  here.changed.on(draw);
  app.layers.listed.on(draw);
  app.cellMap.changed.on(drawAnswer);
  app.highlights.changed.on(drawAnswer);
  app.sketchMap.changed.on(drawAnswer);
  languageChanged.on(draw);
  draw();
  return panel;
}

/** The title of an output, with the colour its features have on the map. */
function heading(title: HTMLElement, colour: string | null): HTMLElement {
  if (colour === null) return title;
  const swatch = h("span", { class: "swatch" });
  swatch.style.backgroundColor = colour;
  title.prepend(swatch);
  title.classList.add("coloured");
  return title;
}

/** The chart has a panel of its own, which this opens again. */
function chartLink(app: App, output: string): HTMLElement {
  return h(
    "button",
    { type: "button", class: "link", on: { click: () => app.charts.open(output) } },
    icon("section"),
    t("chart.open"),
  );
}

function sections(app: App, result: ProcessResult): HTMLElement[] {
  return Object.entries(result).flatMap(([name, output]) => {
    const described = app.analysis.process?.outputs[name];
    const title = h("h3", {}, inLanguage(described?.title ?? name, described?.title_zh));
    if (isTable(output)) {
      const colour = app.highlights.colourOf(name);
      return [h("section", { class: "answer-part" }, heading(title, colour), resultTable(app, name, output))];
    }
    if (isDrawing(output)) return [h("section", { class: "answer-part" }, title, chartLink(app, name))];
    if (isSketch(output)) return [h("section", { class: "answer-part" }, title, sketchLegend(app, output))];
    if (isGrid(output)) return [h("section", { class: "answer-part" }, title, cellLegend(app))];
    return name === "receipt"
      ? [
          h(
            "button",
            { type: "button", class: "link", on: { click: () => void openReceipt(output.href.split("/").at(-1)!) } },
            icon("source"),
            t("layer.source"),
          ),
        ]
      : [];
  });
}

/** Colours of the cells on the map, with how many cells each stands for. */
function cellLegend(app: App): HTMLElement {
  const { classes } = app.cellMap;
  if (!classes) return h("p", { class: "muted" }, t("analysis.noCells"));
  const counts = classes.counts();
  return h(
    "ul",
    { class: "cell-legend" },
    ...classes.bins.map((bin, i) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.backgroundColor = bin.colour;
      return h(
        "li",
        { class: "legend-row" },
        h(
          "span",
          { class: "legend-entry" },
          swatch,
          h("span", { class: "legend-title" }, limitsTitle(bin, "")),
          h("span", { class: "count" }, t("analysis.cells", { n: formatNumber(counts[i]!) })),
        ),
      );
    }),
  );
}
