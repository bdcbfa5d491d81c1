/** The one toolbar, and the card of the tool in hand. */
import type { App } from "../app";
import { h, iconButton, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import type { Tool, ToolName } from "../tools/tool";
import type { Control } from "./controls";
import { cardOf } from "./tools/cards";

/** In groups, as they stand. */
const GROUPS: readonly (readonly ToolName[])[] = [
  ["base", "flat", "underground"],
  ["section", "clip"],
  ["distance", "area", "height"],
  ["phases", "sun", "views"],
  ["pipes", "here"],
  ["sensors", "heat", "traffic"],
];

export function toolbar(app: App): HTMLElement {
  const { toolbox } = app;
  const bar = h("div", { class: "toolbar-buttons", role: "toolbar" });
  const card = h("section", { class: "tool-card", hidden: true });
  const element = h("div", { class: "toolbar" }, bar, card);
  let buttons = new Map<Tool, HTMLButtonElement>();
  let shown: Tool | null = null;
  let control: Control | null = null;

  const open = (tool: Tool | null) => {
    shown = tool;
    control = tool ? cardOf(app, tool) : null;
    card.hidden = control === null;
    if (!tool || !control) return replace(card);
    card.setAttribute("aria-label", t(`tool.${tool.name}`));
    replace(
      card,
      h(
        "header",
        {},
        h("h2", {}, t(`tool.${tool.name}`)),
        iconButton("close", t("tool.close"), () => toolbox.escape(), { class: "small" }),
      ),
      control.element,
    );
  };

  const sync = () => {
    if (toolbox.active !== shown) open(toolbox.active);
    control?.sync();
    for (const [tool, button] of buttons) {
      button.setAttribute("aria-pressed", String(tool.on));
      button.classList.toggle("active", tool === toolbox.active);
    }
  };

  const draw = () => {
    bar.setAttribute("aria-label", t("tool.bar"));
    buttons = new Map(
      toolbox.tools.map((tool) => {
        const label = `${t(`tool.${tool.name}`)} (${tool.letter.toUpperCase()})`;
        const button = iconButton(tool.icon, label, () => toolbox.press(tool.name), {
          "data-tool": tool.name,
        });
        return [tool, button];
      }),
    );
    replace(
      bar,
      ...GROUPS.map((names) =>
        h("div", { class: "toolbar-group" }, ...names.map((name) => buttons.get(toolbox.tool(name)))),
      ),
    );
    open(toolbox.active);
    sync();
  };
  toolbox.changed.on(sync);
  // What a card offers depends on the layers there are.
  app.layers.listed.on(() => {
    if (shown?.name === "base" || shown?.name === "phases") open(shown);
    sync();
  });
  languageChanged.on(draw);
  draw();
  return element;
}
