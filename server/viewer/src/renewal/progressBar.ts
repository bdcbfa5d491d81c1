/** Done against planned, as one bar with a notch where the plan is. */
import { h } from "../dom";
import { t } from "../i18n";
import { percent } from "./words";

const width = (share: number) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;

export function bar({ share_actual: actual, share_planned: planned }: { share_actual: number | null; share_planned: number | null }): HTMLElement {
  const late = actual !== null && planned !== null && actual < planned;
  return h(
    "span",
    {
      class: `progress-bar${late ? " late" : ""}`,
      role: "img",
      "aria-label": t("renewal.town.bar", { actual: percent(actual), planned: percent(planned) }),
    },
    h("i", { class: "done", style: `width:${width(actual ?? 0)}` }),
    planned !== null && h("i", { class: "plan", style: `inset-inline-start:${width(planned)}` }),
  );
}
