/** How much of the view panels cover at the left and at the right, in pixels. */

/** As in the style sheets. */
const PANEL_GAP = 12;
const ATTRIBUTES_WIDTH = 352 + PANEL_GAP;

/** From this width on, there is room for the attributes beside the model, whether they are open or not. */
const WIDE = 1100;

export interface Covered {
  left: number;
  right: number;
}

function width(selector: string): number {
  const panel = document.querySelector<HTMLElement>(selector);
  return panel && !panel.hidden ? panel.offsetWidth + PANEL_GAP : 0;
}

/** By the panels that are open now. */
export function coveredNow(): Covered {
  const left = Math.max(width(".workbench"), width(".alarms"));
  return { left, right: Math.max(width(".attributes"), width(".thing-card"), width(".traffic-panel")) };
}

/** By those that are open or may open any moment: where a target had better not stand. */
export function coveredEdges(): Covered {
  const { left, right } = coveredNow();
  return { left, right: window.innerWidth >= WIDE ? Math.max(ATTRIBUTES_WIDTH, right) : right };
}
