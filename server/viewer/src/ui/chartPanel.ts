/** The drawing of an answer, linked with the map: what is pointed at in one shows in the other. */
import type { App } from "../app";
import { h, icon, iconButton, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { may } from "../rights";
import { errorText } from "./errors";
import { inLanguage } from "./processForm";
import { toast } from "./toast";

const NAMES: Record<string, readonly [label: string, ending: string]> = {
  "image/svg+xml": ["SVG", "svg"],
  "image/png": ["PNG", "png"],
  "image/vnd.dxf": ["DXF", "dxf"],
  "application/dxf": ["DXF", "dxf"],
  "text/csv": ["CSV", "csv"],
};

export function chartPanel(app: App): HTMLElement {
  const { charts, analysis } = app;
  const title = h("h2");
  const files = h("div", { class: "table-files" });
  const close = iconButton("close", "", () => charts.open(null));
  const sheet = h("div", { class: "chart-sheet", tabindex: 0 });
  const element = h("section", { class: "panel table-panel chart-panel", hidden: true }, h("header", {}, title, files, close), sheet);
  let shown: string | null = null;

  const parts = () => [...sheet.querySelectorAll<SVGElement>("[data-id]")];
  const mark = () => {
    const current = app.selection.current;
    for (const part of parts()) {
      const same = part.dataset["layer"] === current?.layer && part.dataset["id"] === current?.id;
      part.classList.toggle("selected", same);
    }
  };
  sheet.addEventListener("click", (event) => {
    const part = (event.target as Element).closest<SVGElement>("[data-id]");
    if (part) app.selection.select({ layer: part.dataset["layer"]!, id: part.dataset["id"]! });
  });

  const save = async (output: string, mediaType: string) => {
    try {
      const url = URL.createObjectURL(await charts.file(output, mediaType));
      h("a", { href: url, download: `${analysis.process!.id}.${NAMES[mediaType]?.[1] ?? "dat"}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      toast(errorText(error));
    }
  };
  const fileLink = (output: string, mediaType: string) =>
    h(
      "button",
      { type: "button", class: "link", on: { click: () => void save(output, mediaType) } },
      icon("download"),
      NAMES[mediaType]?.[0] ?? mediaType,
    );

  const draw = () => {
    const { drawing, output, table } = charts;
    element.hidden = drawing === null;
    document.body.classList.toggle("chart-open", drawing !== null);
    if (!drawing || output === null) {
      shown = null;
      return replace(sheet);
    }
    app.table.close(); // they stand in the same place
    const { process } = analysis;
    title.textContent = inLanguage(process?.title, process?.title_zh);
    element.setAttribute("aria-label", t("chart.label"));
    close.title = t("chart.close");
    close.setAttribute("aria-label", t("chart.close"));
    const formats = drawing.formats.filter((format) => format !== "text/csv");
    replace(files, ...(may("export") ? [...formats.map((format) => fileLink(output, format)), table && fileLink(table, "text/csv")] : []));
    if (shown === drawing.svg) return;
    shown = drawing.svg;
    const parsed = new DOMParser().parseFromString(drawing.svg, "image/svg+xml").documentElement;
    replace(sheet, document.importNode(parsed, true) as unknown as HTMLElement);
    mark();
  };
  charts.changed.on(draw);
  app.selection.changed.on(mark);
  languageChanged.on(draw);
  return element;
}
