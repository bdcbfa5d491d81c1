/** Who and what a project is, and what its light says. */
import { type Child, h, icon, iconButton } from "../../dom";
import { localized, t } from "../../i18n";
import { facts } from "../../ui/receipt";
import type { Store } from "../store";
import type { Light, Project, ProjectDetail } from "../types";
import { fixed } from "../../figures";
import { area, modeName, money, stageName, townName, typeName, unitName } from "../words";
import { lamp } from "./lamp";
import { comma } from "./punctuation";

/** The place of its stage among those of its template. */
function stagePlace(store: Store, project: Project): string {
  const stages = store.overview.templates.find(({ id }) => id === project.template)?.stages ?? [];
  const place = stages.findIndex(({ id }) => id === project.stage);
  return place < 0 ? "" : t("chosen.stageOf", { n: place + 1, all: stages.length });
}

export function projectHead(store: Store, project: Project): HTMLElement {
  return h(
    "header",
    { class: `chosen-head ${project.light}` },
    h(
      "div",
      { class: "chosen-title" },
      lamp(project.light),
      h("h2", { title: project.name }, project.name),
      iconButton("close", t("chosen.leave"), () => store.choose(null), { class: "small" }),
    ),
    h(
      "p",
      { class: "chosen-kind" },
      h("span", {}, typeName(store, project.type)),
      h("span", {}, modeName(store, project.mode)),
      h("span", {}, townName(store, project.town)),
      !!project.village && h("span", {}, project.village),
    ),
    h(
      "p",
      { class: "chosen-stage" },
      icon("phases"),
      project.stage === null ? t("chosen.noStage") : h("strong", {}, stageName(store, project.stage, project.template)),
      h("span", { class: "muted" }, stagePlace(store, project)),
    ),
  );
}

const WORST: readonly Light[] = ["red", "yellow", "green"];
/** So many reasons are told at once. */
const FIRST = 2;

/** Why the light is what it is, in the words of the rules; the others on demand. */
export function reasons(store: Store, project: Project): HTMLElement {
  const found = [...project.reasons].sort((a, b) => WORST.indexOf(a.light) - WORST.indexOf(b.light));
  const behind = found.filter(({ light }) => light !== "green");
  const first = behind.slice(0, FIRST);
  const rest = found.slice(first.length);
  const list = (all: Project["reasons"]) => h("ul", { class: "reasons", "aria-label": t("chosen.reasons") }, ...all.map((one) => reason(store, one)));
  return h(
    "div",
    { class: "why" },
    first.length > 0 ? list(first) : h("p", { class: "chosen-calm" }, icon("check"), t("chosen.noReasons")),
    rest.length > 0 && h("details", { class: "reasons-rest" }, h("summary", {}, icon("chevron"), t("chosen.otherReasons", { n: rest.length, behind: behind.length - first.length })), list(rest)),
  );
}

function reason(store: Store, { rule, light, text }: Project["reasons"][number]): HTMLElement {
  const from = store.overview.lights.rules.find(({ id }) => id === rule);
  return h("li", { class: light, title: from ? `${localized(from.title)}\n${from.source} (${from.confidence})` : rule }, lamp(light, false), h("span", {}, localized(text)));
}

export function projectFacts(store: Store, project: ProjectDetail): HTMLElement {
  const known = (value: number | null, shown: (value: number) => string): Child & (string | null) => (value === null ? null : shown(value));
  return facts([
    [t("chosen.entity"), project.entity],
    [t("chosen.partner"), project.partner],
    [t("chosen.lead"), project.lead && unitName(store, project.lead)],
    [t("chosen.approval"), project.approval ? [project.approval.number, project.approval.date].filter(Boolean).join(comma()) : null],
    [t("chosen.landArea"), known(project.land_area, area)],
    [t("chosen.floorArea"), areas(project)],
    [t("chosen.far"), known(project.far, (far) => fixed(far, 2))],
    [t("chosen.investment"), known(project.investment, money)],
    [t("chosen.id"), project.id],
  ]);
}

function areas({ floor_area_existing: existing, floor_area_planned: planned }: Project): string | null {
  if (existing === null && planned === null) return null;
  return t("chosen.existingPlanned", { existing: area(existing), planned: area(planned) });
}
