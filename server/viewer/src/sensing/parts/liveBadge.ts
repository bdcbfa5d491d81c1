/** Whether live values come, and how old the newest is; in the line at the bottom. */
import type { App } from "../../app";
import { h, icon, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import { ago } from "../panels/when";

/** Milliseconds. */
const TICK = 1_000;

export function liveBadge({ sensing }: App): HTMLElement {
  const said = h("span");
  const word = h("span", { role: "status" });
  const element = h("span", { class: "live-badge", hidden: true }, word, said);
  let shown = "";

  const tick = () => {
    if (document.hidden) return;
    const text = sensing.updated === null ? "" : t("live.updated", { ago: ago(sensing.updated) });
    if (said.textContent !== text) said.textContent = text;
  };
  const draw = () => {
    const { state } = sensing;
    element.hidden = state === "none";
    const key = `${state} ${document.documentElement.lang}`;
    if (state !== "none" && key !== shown) {
      shown = key;
      element.dataset["state"] = state;
      element.title = t("live.label");
      const sign = { live: "signal", connecting: "refresh", lost: "warning" } as const;
      const words = { live: "live.on", connecting: "live.connecting", lost: "live.off" } as const;
      replace(word, icon(sign[state]), t(words[state]));
    }
    tick();
  };
  sensing.status.on(draw);
  sensing.listed.on(draw);
  languageChanged.on(draw);
  setInterval(tick, TICK);
  draw();
  return element;
}
