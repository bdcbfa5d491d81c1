/** What each tool shows beside the toolbar while it is in hand. */
import type { App } from "../../app";
import type { BaseTool } from "../../tools/baseTool";
import type { ClipBox } from "../../tools/clipBox";
import type { Flat } from "../../tools/flat";
import type { Measure } from "../../tools/measure";
import type { Phases } from "../../tools/phases";
import { PIPE_ANALYSES, type Pipes } from "../../tools/pipes";
import type { Section } from "../../tools/section";
import type { Sun } from "../../tools/sun";
import type { Tool } from "../../tools/tool";
import type { Underground } from "../../tools/underground";
import { VIEW_ANALYSES } from "../../tools/views";
import { DEEPEST } from "../../tools/underground";
import { h, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { formatLength } from "../../units";
import { choice, type Control, slider, stack, tick } from "../controls";
import { heatCard } from "../../sensing/parts/heatCard";
import { sensorsCard } from "../../sensing/parts/sensorsCard";
import type { HeatTool } from "../../sensing/heatTool";
import type { SensorsTool } from "../../sensing/sensorsTool";
import type { TrafficTool } from "../../traffic/trafficTool";
import { inLanguage } from "../processForm";
import { measureCard } from "./measureCard";
import { sunCard } from "./sunCard";

const percent = (value: number) => `${Math.round(value * 100)} %`;
const degrees = (value: number) => `${formatNumber(value, 0)}°`;

/** `null` for a tool that has nothing to choose. */
export function cardOf(app: App, tool: Tool): Control | null {
  switch (tool.name) {
    case "base":
      return baseCard(tool as BaseTool);
    case "underground":
      return undergroundCard(tool as Underground);
    case "section":
      return sectionCard(tool as Section);
    case "clip":
      return clipCard(tool as ClipBox);
    case "phases":
      return phasesCard(tool as Phases);
    case "sun":
      return sunCard(tool as Sun);
    case "distance":
    case "area":
    case "height":
      return measureCard(tool as Measure);
    case "flat":
      return flatCard(tool as Flat);
    case "views":
      return viewsCard(app);
    case "pipes":
      return pipesCard(app, tool as Pipes);
    case "sensors":
      return sensorsCard(app, tool as SensorsTool);
    case "heat":
      return heatCard(app, tool as HeatTool);
    case "traffic":
      return (tool as TrafficTool).card;
    case "here":
      return null;
  }
}

function note(text: string): Control {
  return { element: h("p", { class: "muted" }, text), sync: () => undefined };
}

function flatCard(_: Flat): Control {
  return note(t("tool.flatNote"));
}

function baseCard({ base }: BaseTool): Control {
  const names = base.possible;
  return stack(
    choice(t("tool.base"), names.map((name) => [name, t(`base.${name}`)] as const), () => base.current, (name) => {
      base.choice = name;
    }),
    ...(names.length === 1 ? [note(t("base.none"))] : []),
  );
}

function undergroundCard(tool: Underground): Control {
  return stack(
    slider({
      id: "underground-opacity", label: t("underground.opacity"), min: 0, max: 1, step: 0.05,
      value: () => tool.state?.opacity ?? 1, text: percent, set: (opacity) => tool.change({ opacity }),
    }),
    slider({
      id: "underground-depth", label: t("underground.depth"), min: 0, max: DEEPEST, step: 0.5,
      value: () => tool.state?.depth ?? DEEPEST,
      text: (depth) => (depth >= DEEPEST ? t("underground.all") : formatLength(depth)),
      set: (depth) => tool.change({ depth }),
    }),
  );
}

/** A button for each question, which takes the clicks on the map from then on. */
function questions(app: App, ids: readonly string[]): Control {
  const { analysis, toolbox } = app;
  const element = h("div", { class: "pipe-questions" });
  const ask = async (id: string) => {
    await analysis.choose(id);
    if (toolbox.active?.name !== "here") toolbox.press("here");
  };
  const draw = () => {
    const known = ids.map((id) => analysis.processes.find((one) => one.id === id)).filter((one) => one !== undefined);
    replace(
      element,
      ...known.map((one) =>
        h(
          "button",
          { type: "button", class: "button small", "data-analysis": one.id, title: inLanguage(one.description, one.description_zh), on: { click: () => void ask(one.id) } },
          inLanguage(one.title, one.title_zh),
        ),
      ),
    );
  };
  draw();
  let listed = analysis.processes.length;
  const sync = () => {
    if (listed === analysis.processes.length) return;
    listed = analysis.processes.length;
    draw();
  };
  return { element, sync };
}

function viewsCard(app: App): Control {
  const buttons = questions(app, VIEW_ANALYSES);
  return { element: h("div", { class: "controls" }, buttons.element), sync: buttons.sync };
}

function pipesCard(app: App, tool: Pipes): Control {
  if (!tool.possible) return note(t("pipes.none"));
  return stack(questions(app, PIPE_ANALYSES), tick(t("pipes.arrows"), () => tool.arrows, (on) => (tool.arrows = on)));
}

function sectionCard(tool: Section): Control {
  const state = () => tool.state!;
  const reach = Math.ceil(tool.state?.reach ?? 1);
  const turned = slider({
    id: "section-azimuth", label: t("section.azimuth"), min: 0, max: 359, step: 1,
    value: () => tool.state?.azimuth ?? 0, text: degrees, set: (azimuth) => tool.change({ azimuth }),
  });
  const all = stack(
    choice(
      t("section.kind"),
      [["upright", t("section.upright")], ["level", t("section.level")]] as const,
      () => (tool.state?.level ? "level" : "upright"),
      (kind) => tool.change({ level: kind === "level", shift: 0 }),
    ),
    turned,
    slider({
      id: "section-shift", label: t("section.shift"), min: -reach, max: reach, step: reach > 200 ? 1 : 0.1,
      value: () => tool.state?.shift ?? 0, text: formatLength, set: (shift) => tool.change({ shift }),
    }),
    tick(t("section.flip"), () => state().flipped, (flipped) => tool.change({ flipped })),
  );
  return {
    element: all.element,
    sync: () => {
      if (!tool.state) return;
      all.sync();
      turned.element.classList.toggle("unused", tool.state.level);
    },
  };
}

function clipCard(tool: ClipBox): Control {
  const reach = Math.ceil(tool.state?.reach ?? 1);
  const step = reach > 200 ? 1 : 0.1;
  const side = (key: "width" | "depth" | "bottom" | "top", min: number, max: number) =>
    slider({
      id: `clip-${key}`, label: t(`clip.${key}`), min, max, step,
      value: () => tool.state?.[key] ?? 0, text: formatLength, set: (value) => tool.change({ [key]: value }),
    });
  return stack(
    side("width", 1, 2 * reach),
    side("depth", 1, 2 * reach),
    side("bottom", -reach, reach),
    side("top", -reach, reach),
    slider({
      id: "clip-turn", label: t("clip.turn"), min: -45, max: 45, step: 1,
      value: () => tool.state?.turn ?? 0, text: degrees, set: (turn) => tool.change({ turn }),
    }),
  );
}

function phasesCard(tool: Phases): Control {
  return stack(
    choice(
      t("tool.phases"),
      [
        ["present", t("phases.present")],
        ["swipe", t("phases.swipe")],
        ["planned", t("phases.planned")],
      ] as const,
      () => tool.phase,
      (phase) => tool.choose(phase),
    ),
    note(tool.planned > 0 ? t("phases.note", { n: tool.planned }) : t("phases.none")),
  );
}
