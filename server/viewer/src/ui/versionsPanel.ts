/** The versions of one layer: where each comes from, comparing two, serving another one. */
import type { App } from "../app";
import { api } from "../data/api";
import type { RollBackEntry, VersionEntry } from "../data/types";
import { h, icon, iconButton, replace } from "../dom";
import { formatBytes, formatTime, languageChanged, SEPARATOR, t } from "../i18n";
import { openComparison } from "../address";
import { errorText } from "./errors";
import { may } from "../rights";
import { openReceipt } from "./receipt";
import { toast } from "./toast";

/** What a card has unfolded. */
interface Unfolded {
  version: number;
  what: "compare" | "confirm";
}

export function versionsPanel(app: App): HTMLElement {
  const { versions } = app;
  const panel = h("section", { class: "subpanel versions" });
  let unfolded: Unfolded | null = null;

  /** Then nothing is told of what differs between versions. */
  const seenInPart = () => Boolean(app.layers.get(versions.layer!)?.collection.part);

  const unfold = (next: Unfolded | null) => {
    const again = next && unfolded?.version === next.version && unfolded.what === next.what;
    unfolded = again ? null : next;
    render();
    if (unfolded) panel.querySelector<HTMLElement>(".version-unfolded button")?.focus();
  };

  const card = (entry: VersionEntry, all: VersionEntry[]) => {
    const others = all.filter((other) => other.version !== entry.version);
    const open = unfolded?.version === entry.version ? unfolded.what : null;
    return h(
      "li",
      { class: entry.current ? "version current" : "version" },
      h(
        "div",
        { class: "version-head" },
        h("h3", {}, t("layer.version", { n: entry.version })),
        entry.current && h("span", { class: "tag good" }, icon("check"), t("versions.current")),
        h("time", { class: "muted", datetime: entry.published }, formatTime(entry.published)),
      ),
      h(
        "p",
        { class: "version-facts muted" },
        [
          t("layer.features", { n: entry.features }),
          t("layer.size", { bytes: formatBytes(entry.bytes), tiles: entry.tiles }),
        ].join(SEPARATOR),
        h(
          "button",
          { type: "button", class: "link", on: { click: () => void openReceipt(entry.receipt) } },
          icon("source"),
          t("versions.receipt"),
        ),
      ),
      h(
        "div",
        { class: "version-actions" },
        others.length > 0 && !seenInPart() && foldButton("compare", entry, t("versions.compareWith"), open === "compare"),
        !entry.current && may("manage") && foldButton("confirm", entry, t("versions.makeCurrent"), open === "confirm"),
      ),
      open === "compare" && chooser(entry, others),
      open === "confirm" && confirmation(entry, all.find((other) => other.current)!),
    );
  };

  const foldButton = (what: Unfolded["what"], entry: VersionEntry, label: string, open: boolean) =>
    h(
      "button",
      {
        type: "button",
        class: "button small",
        "data-key": `${what}-${entry.version}`,
        "aria-expanded": String(open),
        on: { click: () => unfold({ version: entry.version, what }) },
      },
      label,
    );

  const chooser = (entry: VersionEntry, others: VersionEntry[]) =>
    h(
      "div",
      { class: "version-unfolded", role: "group", "aria-label": t("versions.chooseOther", { n: entry.version }) },
      h("p", { class: "muted" }, t("versions.chooseOther", { n: entry.version })),
      h(
        "div",
        { class: "version-choices" },
        ...others.map((other) =>
          h(
            "button",
            { type: "button", class: "button small", on: { click: () => void compare(entry, other) } },
            t("layer.version", { n: other.version }),
          ),
        ),
      ),
    );

  /** The older one is always the one on the left. */
  const compare = async (one: VersionEntry, other: VersionEntry) => {
    const [from, to] = [one.version, other.version].sort((a, b) => a - b) as [number, number];
    panel.setAttribute("aria-busy", "true");
    const comparison = { layer: versions.layer!, from, to, off: [], swipe: null };
    await openComparison(app, { layers: [], comparison });
    panel.removeAttribute("aria-busy");
  };

  const confirmation = (entry: VersionEntry, current: VersionEntry) =>
    h(
      "div",
      { class: "version-unfolded" },
      h("p", { class: "note" }, t("versions.confirm", { n: entry.version, current: current.version })),
      h(
        "div",
        { class: "version-choices" },
        h(
          "button",
          { type: "button", class: "button small primary", on: { click: () => void makeCurrent(entry) } },
          t("versions.confirmed", { n: entry.version }),
        ),
        h(
          "button",
          { type: "button", class: "button small", on: { click: () => unfold(null) } },
          t("versions.cancel"),
        ),
      ),
    );

  const makeCurrent = async (entry: VersionEntry) => {
    const layer = versions.layer!;
    unfolded = null;
    try {
      await api.makeCurrent(layer, entry.version);
      await Promise.all([app.layers.refresh(), versions.read()]);
      const name = app.layers.get(layer)?.collection.title ?? layer;
      toast(t("versions.made", { name, n: entry.version }));
    } catch (error) {
      toast(t("versions.makeFailed", { detail: errorText(error) }), "error");
      void versions.read();
    }
  };

  const render = () => {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["key"];
    const layer = versions.layer === null ? undefined : app.layers.get(versions.layer);
    if (!layer) return;
    const listed = versions.listed;
    replace(
      panel,
      h(
        "header",
        { class: "subpanel-head" },
        iconButton("back", t("versions.back"), () => versions.close()),
        h("div", {}, h("h2", {}, t("versions.title")), h("p", { class: "muted" }, layer.collection.title)),
      ),
      h(
        "div",
        { class: "panel-scroll" },
        versions.failure !== null &&
          h("p", { class: "error-text" }, t("versions.failed", { detail: errorText(versions.failure) })),
        !listed &&
          versions.failure === null &&
          h("p", { class: "empty-note", role: "status" }, t("versions.loading")),
        listed &&
          h(
            "ul",
            { class: "version-list", "aria-label": t("versions.list") },
            ...listed.versions.map((entry) => card(entry, listed.versions)),
          ),
        listed?.versions.length === 1 && h("p", { class: "empty-note" }, t("versions.only")),
        listed && listed.rollbacks.length > 0 && rollBacks(listed.rollbacks),
      ),
    );
    if (focused) panel.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };

  versions.changed.on(() => {
    if (versions.layer === null) unfolded = null;
    render();
  });
  app.layers.listed.on(render);
  languageChanged.on(render);
  return panel;
}

function rollBacks(entries: RollBackEntry[]): HTMLElement {
  return h(
    "section",
    { class: "roll-backs" },
    h("h3", {}, t("versions.rollbacks")),
    h(
      "ul",
      {},
      ...entries.map((entry) =>
        h(
          "li",
          {},
          h(
            "div",
            {},
            h("p", {}, t(entry.to < entry.from ? "versions.rollback" : "versions.forward", { ...entry })),
            h("p", { class: "muted" }, [formatTime(entry.when), entry.who].join(SEPARATOR)),
          ),
          iconButton("source", t("versions.receipt"), () => void openReceipt(entry.receipt), { class: "small" }),
        ),
      ),
    ),
  );
}
