/** What was measured, in numbers. */
import { h, icon, replace } from "../../dom";
import { t } from "../../i18n";
import type { Measure } from "../../tools/measure";
import { formatArea, formatLength } from "../../units";
import type { Control } from "../controls";

export function measureCard(tool: Measure): Control {
  const facts = h("dl", { class: "facts measured", role: "status" });
  const hint = h("p", { class: "muted" });
  const undo = h(
    "button",
    { type: "button", class: "link", on: { click: () => tool.undo() } },
    icon("undo"),
    t("measure.undo"),
  );
  const clear = h(
    "button",
    { type: "button", class: "link", on: { click: () => tool.clear() } },
    icon("refresh"),
    t("measure.clear"),
  );
  const element = h(
    "div",
    { class: "controls" },
    hint,
    facts,
    h("div", { class: "measure-actions" }, undo, clear),
  );
  const sync = () => {
    hint.textContent = t(`measure.${tool.name}Hint`);
    undo.disabled = clear.disabled = tool.points.length === 0;
    replace(facts, ...rows(tool).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  };
  sync();
  return { element, sync };
}

/** Every row from the beginning, so that the card keeps its size. */
function rows(tool: Measure): [string, string][] {
  const none = "–";
  const { total, surface } = tool;
  if (tool.name === "area") {
    return [
      [t("measure.area"), surface ? formatArea(surface.area) : none],
      [t("measure.around"), surface ? formatLength(surface.around) : none],
    ];
  }
  const horizontal: [string, string] = [t("measure.horizontal"), total ? formatLength(total.horizontal) : none];
  const vertical: [string, string] = [t("measure.vertical"), total ? formatLength(total.vertical) : none];
  const direct: [string, string] = [t("measure.direct"), total ? formatLength(total.direct) : none];
  return tool.name === "height" ? [vertical, horizontal, direct] : [horizontal, vertical, direct];
}
