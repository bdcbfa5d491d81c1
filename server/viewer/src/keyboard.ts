/** Keys: everywhere on the page, and on the 3D view while it has the focus. */
import type { App } from "./app";
import { languageChanged, t } from "./i18n";
import { thingIsInFront } from "./sensing/panels/places";
import { dialogIsOpen } from "./ui/dialog";
import { openHelp } from "./ui/help";

const STEP = 0.12;
const TURN = 4;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("input:not([type=checkbox]):not([type=range]), textarea, select"))
  );
}

export function listenToKeys(app: App, focusSearch: () => void): void {
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || dialogIsOpen()) return;
    if (event.key === "Escape") {
      if (app.toolbox.escape()) return;
      if (app.comparison.current) app.comparison.close();
      else if (thingIsInFront(app)) app.sensing.select(null);
      else app.selection.clear();
      return;
    }
    if (isTyping(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      focusSearch();
    } else if (event.key === "h" || event.key === "H") void app.camera.home();
    else if (event.key === "?") openHelp(app.toolbox);
    else {
      const tool = app.toolbox.tools.find(({ letter }) => letter === event.key.toLowerCase());
      if (tool) app.toolbox.press(tool.name);
    }
  });

  const { canvas } = app.widget;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  const label = () => canvas.setAttribute("aria-label", t("canvas.label"));
  languageChanged.on(label);
  label();
  const moves: Record<string, Parameters<App["camera"]["nudge"]>[0]> = {
    ArrowUp: { forward: STEP },
    ArrowDown: { forward: -STEP },
    ArrowRight: { right: STEP },
    ArrowLeft: { right: -STEP },
    "shift ArrowUp": { tilt: TURN },
    "shift ArrowDown": { tilt: -TURN },
    "shift ArrowRight": { turn: TURN },
    "shift ArrowLeft": { turn: -TURN },
    "+": { up: -STEP },
    "=": { up: -STEP },
    "-": { up: STEP },
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const arrow = event.key.startsWith("Arrow");
    const move = moves[arrow && event.shiftKey ? `shift ${event.key}` : event.key];
    if (!move) return;
    event.preventDefault();
    app.camera.nudge(move);
  });
}
