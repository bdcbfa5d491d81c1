/** The sign on a layer that is shown only in part. */
import type { LayerPart } from "../data/types";
import { h, icon } from "../dom";
import { t } from "../i18n";
import { comma } from "../office/names";
import { hiddenName } from "../office/policyNames";

/** Says that there is more of a layer than is shown, and what. */
export function partSign({ hidden, heights, area }: LayerPart): HTMLElement {
  const left = [
    area === "town" && t("part.area"),
    !heights && t("part.heights"),
    hidden.length > 0 && t("part.hidden", { names: hidden.map(hiddenName).join(comma()) }),
  ].filter((sentence) => sentence !== false);
  const title = [...left, t("part.plan")].join("\n");
  return h("span", { class: "tag part", title, tabindex: 0, "aria-label": `${t("part.sign")}: ${title}` }, icon("lock"), t("part.sign"));
}
