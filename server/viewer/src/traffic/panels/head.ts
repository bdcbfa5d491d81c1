/** The head of the panel: which intersection it is, how complete its map is, how it stands now, its files. */
import { h, icon, iconButton, replace } from "../../dom";
import type { Localized } from "../../data/types";
import { language, localized, t } from "../../i18n";
import { may } from "../../rights";
import { span } from "../../sensing/panels/when";
import { errorText } from "../../ui/errors";
import type { Intersection } from "../types";
import type { PanelStore } from "./store";

/** Milliseconds after which what is heard of an intersection is old. */
const OLD = 5_000;
const ASK_STATE = 5_000;
const AGES = 1_000;

export interface HeadOptions {
  widen: () => void;
  isWide: () => boolean;
}

/** The share of what a map should have, whole percent: a hundred only where nothing is missing. */
export function percent(score: number): number {
  return Math.floor(score * 100 + 1e-9);
}

export function panelHead(store: PanelStore, { widen, isWide }: HeadOptions) {
  const element = h("header", { class: "crossing-head" });
  const state = h("p", { class: "crossing-state", role: "status" });
  let now: Intersection["state"] = null;
  let heard = 0;
  let from = "";

  const report = ({ report: found }: Intersection) => {
    if (!found) return null;
    const share = percent(found.score);
    return h(
      "details",
      { class: "crossing-report" },
      h("summary", {}, icon("chevron"), h("span", {}, t("crossing.complete", { n: share })), h("meter", { min: 0, max: 100, value: share, "aria-hidden": "true" }), found.missing.length > 0 && h("span", { class: "muted" }, t("crossing.missing", { n: found.missing.length }))),
      found.missing.length === 0 ? h("p", { class: "muted" }, t("crossing.missingNothing")) : h("ul", {}, ...found.missing.map(({ where, message }) => h("li", { title: where }, messageText(message)))),
    );
  };

  const files = (of: Intersection) => {
    if (!may("export")) return null;
    const { api } = store.context;
    const question = store.question();
    const link = (name: string, href: string) => h("a", { class: "link", href, download: "" }, name);
    return h(
      "p",
      { class: "crossing-files" },
      icon("download"),
      h("span", { class: "muted" }, t("crossing.files")),
      link("MAP-JSON", api.mapOf(of.id, of.layer, "map-json")),
      link("GeoJSON", api.mapOf(of.id, of.layer, "geojson")),
      ...(question ? [h("span", { class: "muted" }, t("crossing.filesMeasures")), link("CSV", api.measuresAs(question, "csv")), link("Parquet", api.measuresAs(question, "parquet"))] : []),
    );
  };

  const sync = () => {
    const of = store.detail.value;
    if (!of) return replace(state);
    const age = now && now.age * 1000 + (Date.now() - heard);
    const old = age !== null && age > OLD;
    const text = now === null || age === null ? t("crossing.state.none") : old ? t("crossing.state.old", { span: span(age) }) : t("crossing.state.now", { span: span(age), n: now.vehicles });
    if (state.textContent === text) return;
    state.className = `crossing-state ${now === null ? "none" : old ? "old" : "fresh"}`;
    replace(state, icon(now === null ? "rest" : old ? "warning" : "signal"), h("span", {}, text));
  };

  const draw = () => {
    const { detail, names } = store;
    const key = JSON.stringify([language(), store.what, detail.value !== null, store.question(), isWide(), detail.error !== null]);
    if (key !== from) {
      from = key;
      now = detail.value?.state ?? null;
      heard = Date.now();
      const of = detail.value;
      const opened = element.querySelector("details")?.open ?? false;
      replace(
        element,
        h(
          "div",
          { class: "crossing-title" },
          of && h("span", { class: "tag" }, t(`crossing.control.${of.control}`)),
          h("p", { class: "muted", title: names?.other ?? "" }, names?.other ?? ""),
          iconButton("refresh", t("crossing.refresh"), () => store.refresh(), { class: "small" }),
          iconButton("panel", t(isWide() ? "crossing.narrow" : "crossing.wide"), widen, { class: "small crossing-widen", "aria-pressed": String(isWide()) }),
        ),
        detail.error ? h("p", { class: "error-text", role: "alert" }, errorText(detail.error)) : null,
        of && state,
        of && report(of),
        of && files(of),
      );
      if (opened) element.querySelector("details")!.open = true;
    }
    sync();
  };

  let asking = false;
  const ask = async () => {
    const { what } = store;
    if (!what || !store.detail.value || store.time !== null || document.hidden || asking) return;
    asking = true;
    try {
      const of = await store.context.api.intersection(what.id, what.layer);
      if (store.what !== what) return;
      now = of.state;
      heard = Date.now();
      sync();
    } catch {
      sync(); // that it is old is told by its age
    } finally {
      asking = false;
    }
  };
  setInterval(() => void ask(), ASK_STATE);
  setInterval(() => store.what && !document.hidden && sync(), AGES);
  return { element, draw };
}

/** What is missing, as the server says it: in both languages, or in one. */
function messageText(message: unknown): string {
  return typeof message === "string" ? message : localized(message as Localized);
}
