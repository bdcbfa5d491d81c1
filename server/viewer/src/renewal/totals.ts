/** The sums of what the filters leave, along the top. */
import { type Child, h, replace } from "../dom";
import { languageChanged, t } from "../i18n";
import { lamp } from "./chosen/lamp";
import { bar } from "./progressBar";
import type { Store } from "./store";
import { LIGHTS } from "./types";
import { amount, amountWithUnit, percent, points, unitOf } from "./words";

function tile(name: string, value: Child[], unit: string, ...below: Child[]): HTMLElement {
  return h(
    "div",
    { class: "total" },
    h("dt", {}, name),
    h("dd", {}, h("span", { class: "total-value" }, ...value, unit !== "" && h("small", {}, unit)), ...below),
  );
}

const note = (text: string, extra = "") => h("span", { class: `total-note ${extra}` }, text);

export function totalsStrip(store: Store): HTMLElement {
  const element = h("dl", { class: "totals" });
  const metricTile = (id: string, name: string) => {
    const metric = store.metric(id);
    const sum = store.totals?.metrics[id];
    const of = sum?.target ? t("renewal.ofTarget", { share: percent(sum.share_actual), target: amountWithUnit(metric, sum.target) }) : "";
    return tile(name, [amount(metric, sum?.actual)], unitOf(metric), sum ? bar(sum) : null, note(of));
  };
  const draw = () => {
    const { totals } = store;
    element.setAttribute("aria-label", t("renewal.totals"));
    element.setAttribute("aria-busy", String(!totals));
    if (!totals) return replace(element);
    const { signing, orders, lights } = totals;
    replace(
      element,
      tile(t("renewal.total.projects"), [String(totals.projects)], t("renewal.unit.projects"), note(t("renewal.ofAll", { n: store.projects.size }))),
      h(
        "div",
        { class: "total total-lights" },
        h("dt", {}, t("renewal.total.lights")),
        h("dd", {}, ...LIGHTS.map((light) => h("span", { class: `light-count ${light}` }, lamp(light), h("b", {}, String(lights[light]))))),
      ),
      metricTile("floor-area-demolished", t("renewal.total.demolished")),
      h(
        "div",
        { class: "total total-points" },
        h("dt", {}, t("renewal.total.points")),
        h(
          "dd",
          {},
          h("span", { class: `total-value ${totals.points !== null && totals.points < 0 ? "behind" : ""}` }, points(totals.points)),
          bar(totals),
          note(t("renewal.doneOf", { actual: percent(totals.share_actual), planned: percent(totals.share_planned) })),
        ),
      ),
      tile(
        t("renewal.total.signing"),
        [percent(signing.rate)],
        "",
        bar({ share_actual: signing.rate, share_planned: signing.gate }),
        note(t("renewal.signedOf", { signed: signing.signed, due: signing.due })),
      ),
      metricTile("investment", t("renewal.total.investment")),
      tile(
        t("renewal.total.orders"),
        [String(orders.open)],
        t("renewal.unit.orders"),
        note(orders.overdue > 0 ? t("renewal.overdue", { n: orders.overdue }) : t("renewal.noneOverdue"), orders.overdue > 0 ? "bad" : ""),
      ),
    );
  };
  store.loaded.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
