/** The frame at the right: one intersection closely. What stands in it is made by the panels. */
import { h, iconButton, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import { intersectionPanel } from "../panels";
import type { TrafficStore } from "../store";
import type { IntersectionPanel } from "../types";
import { intersectionName } from "./words";

export function intersectionFrame(store: TrafficStore): { element: HTMLElement; sync: () => void } {
  const host = h("div", { class: "traffic-host" });
  const head = h("header", {});
  const element = h("section", { class: "panel traffic-panel", hidden: true }, head, host);
  let panel: IntersectionPanel | null = null;
  let shown = "";
  let time: number | null | undefined;

  const drawHead = () => {
    const { chosen } = store;
    const one = chosen && store.intersections.find(({ id }) => id === chosen.id);
    const name = one ? intersectionName(one) : (chosen?.id ?? "");
    const go = () => one && void store.goTo(one.place);
    element.setAttribute("aria-label", t("traffic.panel", { name }));
    replace(
      head,
      h("h2", { title: name }, name),
      iconButton("target", t("traffic.panel.go"), go, { class: "small" }),
      iconButton("close", t("traffic.panel.close"), () => store.choose(null), { class: "small" }),
    );
  };

  const sync = () => {
    const { chosen, clock } = store;
    const now = chosen ? `${chosen.layer}\n${chosen.id}\n${store.intersections.length}` : "";
    if (now !== shown) {
      shown = now;
      element.hidden = chosen === null;
      document.body.classList.toggle("traffic-panel-open", chosen !== null);
      drawHead();
      if (chosen) {
        panel ??= intersectionPanel(host, store);
        panel.show(chosen.id, chosen.layer);
      } else panel?.hide();
    }
    if (panel && chosen && clock.at !== time) panel.setTime((time = clock.at));
  };
  languageChanged.on(drawHead);
  return { element, sync };
}
