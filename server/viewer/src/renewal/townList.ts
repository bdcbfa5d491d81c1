/** The towns by rank: progress against plan, lights, signing, orders overdue. A click shows one. */
import { h, replace } from "../dom";
import { languageChanged, localized, t } from "../i18n";
import { lamp } from "./chosen/lamp";
import { bar } from "./progressBar";
import type { Player } from "./replay";
import type { Store } from "./store";
import { LIGHTS, type Town } from "./types";
import { percent, points } from "./words";

export function townList(store: Store, player: Player, fly: (town: string | null) => void): HTMLElement {
  const list = h("ol", { class: "town-list" });
  const heading = h("h2", {});
  const hint = h("p", { class: "muted" });
  const element = h("aside", { class: "towns" }, h("header", {}, heading, hint), list);

  const choose = (id: string) => {
    const town = store.filters.town === id ? "" : id;
    store.filter({ town });
    fly(town || null);
  };
  const row = (town: Town) => {
    const name = localized(town.title) || town.id;
    const replayed = player.index !== null ? player.replay?.towns[town.id] : undefined;
    const share = replayed?.shares[player.index!] ?? null;
    const replayedPoints = replayed?.points[player.index!] ?? null;
    const shares = replayed
      ? { share_actual: share, share_planned: share === null || replayedPoints === null ? null : share - replayedPoints / 100 }
      : town;
    const ahead = replayed ? replayedPoints : town.points;
    const { overdue } = town.orders;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "town",
          "data-town": town.id,
          "aria-pressed": String(store.filters.town === town.id),
          on: { click: () => choose(town.id) },
        },
        h("span", { class: "town-rank", title: town.rank === null ? null : t("renewal.town.rank", { n: town.rank }) }, String(town.rank ?? "–")),
        h("span", { class: "town-name" }, name),
        h("span", { class: `town-points ${ahead !== null && ahead < 0 ? "behind" : ""}` }, points(ahead)),
        bar(shares),
        h("span", { class: "town-share" }, percent(shares.share_actual, 0)),
        h(
          "span",
          { class: "town-facts" },
          ...(replayed
            ? [h("span", { class: "light-count red" }, lamp("red", false), String(replayed.red[player.index!] ?? 0))]
            : LIGHTS.map((light) => h("span", { class: `light-count ${light}${town.lights[light] === 0 ? " zero" : ""}` }, lamp(light, false), String(town.lights[light])))),
          !replayed && h("span", { class: "town-signing" }, t("renewal.town.signing", { rate: percent(town.signing.rate, 0) })),
          !replayed && overdue > 0 && h("span", { class: "town-overdue" }, t("renewal.town.overdue", { n: overdue })),
        ),
      ),
    );
  };
  const draw = () => {
    const focused = (document.activeElement as HTMLElement | null)?.dataset.town;
    heading.textContent = t("renewal.towns");
    hint.textContent = t("renewal.townsHint");
    replace(list, ...store.towns.map(row));
    if (focused !== undefined) list.querySelector<HTMLElement>(`[data-town="${CSS.escape(focused)}"]`)?.focus();
  };
  store.loaded.on(draw);
  store.asked.on(draw);
  player.stepped.on(draw);
  languageChanged.on(draw);
  draw();
  return element;
}
