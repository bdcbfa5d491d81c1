/** What needs attention while no project is chosen: red and yellow ones, the furthest behind first. */
import { h, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { lamp } from "./chosen/lamp";
import type { Store } from "./store";
import type { Project } from "./types";
import { points, stageName, townName } from "./words";

const RANK = { red: 0, yellow: 1, green: 2 };

const behind = ({ points: ahead }: Project) => ahead ?? 0;

/** Red before yellow, then what is overdue, then who is furthest behind. */
export function byUrgency(a: Project, b: Project): number {
  return RANK[a.light] - RANK[b.light] || b.orders.overdue - a.orders.overdue || behind(a) - behind(b) || (a.id < b.id ? -1 : 1);
}

export function attentionPanel(store: Store): HTMLElement {
  const heading = h("h2", {});
  const hint = h("p", { class: "muted" });
  const list = h("ol", { class: "attention-list" });
  const element = h("section", { class: "attention" }, h("header", {}, heading, hint), list);
  const row = (project: Project) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "attention-row", on: { click: () => store.choose(project.id) } },
        lamp(project.light, false),
        h("strong", {}, project.name),
        h("span", { class: `town-points ${behind(project) < 0 ? "behind" : ""}` }, points(project.points)),
        h("span", { class: "attention-facts" }, [townName(store, project.town), stageName(store, project.stage, project.template)].join(" · ")),
        project.orders.overdue > 0 && h("span", { class: "town-overdue" }, t("renewal.overdue", { n: project.orders.overdue })),
        project.reasons[0] && h("span", { class: "attention-reason" }, localized(project.reasons[0].text)),
      ),
    );
  const draw = () => {
    const urgent = store.found.filter(({ light }) => light !== "green").sort(byUrgency);
    heading.textContent = t("renewal.attention");
    hint.textContent = urgent.length > 0 ? t("renewal.attentionHint", { n: urgent.length }) : t("renewal.attentionNone");
    replace(list, ...urgent.map(row));
  };
  store.loaded.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
