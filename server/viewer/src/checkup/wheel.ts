/** The dimension wheel with its list: how many indicators of each dimension meet their target. */
import { h, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { s } from "../svg";
import type { Store } from "./store";
import { BANDS, bandsOf, OUTER, pointAt, ringPath, type Sector, sectorsOf } from "./wheelShape";
import { standingSign, wordOf } from "./words";

const NUMBER_RADIUS = 96.5;

/** What is hatched and dotted, so that nothing is told by colour alone. */
function patterns(): SVGElement {
  const pattern = (id: string, size: number, background: string, ...inside: SVGElement[]) =>
    s("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: size, height: size, class: background }), ...inside);
  return s(
    "defs",
    {},
    pattern("wheel-unavailable", 3, "wheel-paper", s("line", { x1: 0, y1: 0, x2: 0, y2: 3, class: "wheel-hatch" })),
    pattern("wheel-failed", 3.4, "wheel-failed-ground", s("circle", { cx: 1.7, cy: 1.7, r: 0.6, class: "wheel-dot" })),
  );
}

export function wheel(store: Store): HTMLElement {
  const heading = h("h2", {});
  const hint = h("p", { class: "muted" });
  const picture = s("svg", { viewBox: "-102 -102 204 204", class: "wheel-picture", role: "group" });
  const key = h("ul", { class: "wheel-key" });
  const list = h("ol", { class: "wheel-list" });
  const element = h("section", { class: "wheel" }, h("header", {}, heading, hint), picture, key, list);

  const chosen = ({ level, id }: Sector) => store.field("dimension") === id && store.field("level") === level;
  const choose = (sector: Sector) => store.filter(chosen(sector) ? { dimension: "", level: "" } : { dimension: sector.id, level: sector.level });
  const nameOf = ({ id }: Sector) => localized(store.run?.dimensions[id]) || id;
  const told = (sector: Sector) => {
    const { met, failed, total, unavailable } = sector;
    return t("checkup.wheel.sector", { name: nameOf(sector), level: wordOf(store.overview, "levels", sector.level), met, failed, total, unavailable });
  };

  const sectorElement = (sector: Sector, number: number) => {
    const middle = (sector.begin + sector.end) / 2;
    const [x, y] = pointAt(middle, NUMBER_RADIUS);
    const group = s(
      "g",
      { class: `wheel-sector${chosen(sector) ? " chosen" : ""}`, role: "button", tabindex: 0, "aria-pressed": String(chosen(sector)), "aria-label": told(sector), "data-dimension": `${sector.level} ${sector.id}` },
      s("title", {}, told(sector)),
      ...bandsOf(sector).map(({ band, from, to }) => s("path", { d: ringPath(sector.begin, sector.end, from, to), class: `wheel-band ${band}` })),
      s("path", { d: ringPath(sector.begin, sector.end, bandsOf(sector)[0]!.from, OUTER), class: "wheel-rim" }),
      s("text", { x, y, class: "wheel-number" }, String(number)),
    );
    group.addEventListener("click", () => choose(sector));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(sector);
      element.querySelector<SVGElement>(`[data-dimension="${CSS.escape(`${sector.level} ${sector.id}`)}"]`)?.focus();
    });
    return group;
  };

  const draw = () => {
    const { run } = store;
    heading.textContent = t("checkup.wheel");
    hint.textContent = t("checkup.wheel.hint");
    picture.setAttribute("aria-label", t("checkup.wheel"));
    if (!run) {
      picture.replaceChildren();
      replace(list);
      return replace(key);
    }
    const { sectors, levels } = sectorsOf(run.indicators, Object.keys(run.dimensions));
    const { met, failed } = run.counts;
    picture.replaceChildren(
      patterns(),
      ...levels.map(({ level, begin, end }) => {
        const on = store.field("level") === level && store.field("dimension") === "";
        const arc = s("path", { d: ringPath(begin, end, 34, 42), class: `wheel-level ${level}${on ? " chosen" : ""}` }, s("title", {}, wordOf(store.overview, "levels", level)));
        arc.addEventListener("click", () => store.filter({ level: on ? "" : level, dimension: "" }));
        return arc;
      }),
      ...sectors.map((sector, i) => sectorElement(sector, i + 1)),
      s("text", { x: 0, y: -3, class: "wheel-sum" }, `${met} / ${met + failed}`),
      s("text", { x: 0, y: 11, class: "wheel-sum-word" }, t("checkup.wheel.met")),
    );
    replace(key, ...BANDS.map((band) => h("li", {}, h("i", { class: `wheel-swatch ${band}`, "aria-hidden": "true" }, standingSign(band)), h("span", {}, t(`checkup.standing.${band}`)))));
    let level = "";
    replace(
      list,
      ...sectors.flatMap((sector, i) => {
        const begins = sector.level !== level;
        level = sector.level;
        return [
          begins && h("li", { class: "wheel-list-level" }, h("i", { class: `wheel-level-swatch ${sector.level}` }), wordOf(store.overview, "levels", sector.level)),
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "wheel-row", "aria-pressed": String(chosen(sector)), "aria-label": told(sector), title: told(sector), on: { click: () => choose(sector) } },
              h("span", { class: "wheel-row-number" }, String(i + 1)),
              h("span", { class: "wheel-row-name" }, nameOf(sector)),
              ...(["met", "failed", "unavailable"] as const).map((band) =>
                h("span", { class: `wheel-row-count ${band}${sector[band] === 0 ? " zero" : ""}` }, `${standingSign(band)} ${sector[band]}`),
              ),
            ),
          ),
        ].filter((one): one is HTMLLIElement => one !== false);
      }),
    );
  };
  store.loaded.on(draw);
  store.filtered.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
