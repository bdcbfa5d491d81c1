/** The log: who did what, when, from where, and whether it was let through. */
import { h, icon, iconButton, replace } from "../dom";
import { formatNumber, languageChanged, said, t } from "../i18n";
import { debounce } from "../signal";
import { choice } from "../ui/controls";
import { errorText } from "../ui/errors";
import { facts } from "../ui/receipt";
import { office } from "./api";
import type { Desk } from "./desk";
import { select } from "./form";
import { List } from "./list";
import { type Filters, isFiltered, queryOf, RESULTS } from "./logFilters";
import { comma, resultName, verbName, viaName } from "./names";
import { type Entry, LOG_VERBS, type Verification } from "./types";

const PAGE = 100;
const TYPING = 350;

/** To the second, unlike elsewhere: what came first matters here. */
export function exactTime(iso: string, lang: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return date.toLocaleString(lang === "zh" ? "zh-CN" : "en-GB", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
}

export function logPage(desk: Desk, start: Filters): HTMLElement {
  const filters: Filters = { ...start };
  let entries: Entry[] | null = null;
  let next: number | null = null;
  let total = 0;
  let error: unknown = null;
  let asked = 0;
  let selected: Entry | null = null;
  let chain: Verification | "busy" | { failed: unknown } | null = null;

  const bar = h("div", { class: "office-bar log-bar" });
  const actions = h("div", { class: "office-bar log-actions" });
  const verdict = h("div", { class: "verdict", role: "status" });
  const detail = h("aside", { class: "office-detail", hidden: true });
  const more = h("div", { class: "list-more" });
  const time = (entry: Entry) => exactTime(entry.at, document.documentElement.lang.slice(0, 2));
  const list = new List<Entry>({
    label: () => t("tab.log"),
    id: (entry) => String(entry.seq),
    open: (entry) => {
      selected = entry;
      list.mark();
      drawDetail();
    },
    selected: () => (selected ? String(selected.seq) : null),
    columns: () => [
      { title: "log.time", width: "158px", cell: (entry) => h("span", { class: "tabular" }, time(entry)) },
      { title: "log.person", width: "14%", cell: (entry) => entry.person?.name ?? h("span", { class: "muted" }, viaName(entry.via)) },
      { title: "log.verb", width: "13%", cell: (entry) => verbName(entry.verb) },
      { title: "log.what", cell: (entry) => h("span", { class: "two-lines" }, h("code", {}, entry.what), aboutWhom(entry)) },
      { title: "log.layers", width: "14%", cell: (entry) => entry.layers.join(comma()) },
      { title: "log.address", width: "108px", cell: (entry) => entry.address },
      { title: "log.result", width: "92px", cell: (entry) => resultTag(entry) },
    ],
  });

  const read = async (after?: number) => {
    const now = ++asked;
    try {
      const query = queryOf(filters, { forServer: true });
      const page = await office.log(`${query}&limit=${PAGE}${after === undefined ? "" : `&after=${after}`}`.replace(/^&/, ""));
      if (now !== asked) return;
      entries = after === undefined ? page.entries : [...(entries ?? []), ...page.entries];
      next = page.next;
      total = page.total;
      error = null;
    } catch (refused) {
      if (now !== asked) return;
      error = refused;
      entries = after === undefined ? null : entries;
    }
    draw();
  };
  const again = () => {
    desk.logAsked.emit({ ...filters });
    drawActions();
    void read();
  };
  const later = debounce(TYPING, again);

  const text = (name: "person" | "layer" | "q", key: "log.person" | "log.layer" | "log.text") => {
    const input = h("input", {
      type: "search", id: `log-${name}`, placeholder: t(key), "aria-label": t(key), autocomplete: "off",
      on: {
        input: () => {
          filters[name] = input.value;
          later();
        },
      },
    });
    input.value = filters[name] ?? "";
    return input;
  };
  const moment = (name: "since" | "until") => {
    const input = h("input", {
      type: "datetime-local", id: `log-${name}`, "aria-label": t(`log.${name}`),
      on: {
        change: () => {
          filters[name] = input.value;
          again();
        },
      },
    });
    input.value = filters[name] ?? "";
    return h("label", { class: "inline-field" }, t(`log.${name}`), input);
  };
  const drawBar = () => {
    const result = choice(
      t("log.result"),
      [["", t("log.any")], ...RESULTS.map((one) => [one, resultName(one)] as const)] as const,
      () => filters.result ?? "",
      (value) => {
        filters.result = value;
        result.sync();
        again();
      },
    );
    replace(
      bar,
      moment("since"),
      moment("until"),
      text("person", "log.person"),
      select(
        {
          id: "log-verb",
          value: filters.verb ?? "",
          options: [{ value: "", label: t("log.anyVerb") }, ...LOG_VERBS.map((verb) => ({ value: verb, label: verbName(verb) }))],
          set: (verb) => {
            filters.verb = verb;
            again();
          },
        },
        { "aria-label": t("log.verb") },
      ),
      result.element,
      text("layer", "log.layer"),
      text("q", "log.text"),
    );
  };
  const drawActions = () => {
    const query = queryOf(filters, { forServer: true });
    const file = (format: "csv" | "jsonl") =>
      h("a", { class: "link", href: office.logFile(format, query), download: "" }, icon("download"), format.toUpperCase());
    replace(
      actions,
      h("p", { class: "muted", role: "status" }, entries ? t("log.count", { n: entries.length, all: total }) : ""),
      isFiltered(filters) &&
        h("button", { type: "button", class: "link", on: { click: () => clear() } }, icon("close"), t("log.clear")),
      h("span", { class: "end" }),
      file("csv"),
      file("jsonl"),
      h("button", { type: "button", class: "button small", on: { click: () => void read() } }, icon("refresh"), t("log.refresh")),
      h(
        "button",
        { type: "button", class: "button small", id: "log-verify", disabled: chain === "busy", on: { click: () => void verify() } },
        icon("shield"),
        t("log.verify"),
      ),
    );
  };
  const clear = () => {
    for (const name of Object.keys(filters) as (keyof Filters)[]) delete filters[name];
    drawBar();
    again();
  };

  const verify = async () => {
    chain = "busy";
    drawVerdict();
    try {
      chain = await office.verification();
    } catch (failed) {
      chain = { failed };
    }
    drawVerdict();
    document.getElementById("log-verify")?.focus({ preventScroll: true });
  };
  const drawVerdict = () => {
    drawActions();
    verdict.className = `verdict${chain !== null && chain !== "busy" && "intact" in chain ? (chain.intact ? " good" : " bad") : ""}`;
    verdict.hidden = chain === null;
    replace(verdict, ...verdictParts());
  };
  const verdictParts = () => {
    if (chain === null) return [];
    if (chain === "busy") return [h("span", { class: "spinner small" }), h("span", {}, t("log.verifying"))];
    if ("failed" in chain) return [icon("warning"), h("span", { class: "error-text" }, errorText(chain.failed))];
    if (!chain.intact) {
      return [
        icon("warning"),
        h("span", {}, h("strong", {}, t("log.broken", { n: String(chain.broken_at) })), h("span", {}, said(chain.reason, chain.reason_zh))),
      ];
    }
    return [
      icon("check"),
      h(
        "span",
        {},
        h("strong", {}, t("log.intact", { n: chain.entries })),
        chain.head && h("span", {}, t("log.head"), h("code", {}, chain.head)),
      ),
    ];
  };

  const drawDetail = () => {
    detail.hidden = selected === null;
    if (!selected) return;
    const entry = selected;
    detail.setAttribute("aria-label", t("log.entry", { n: String(entry.seq) }));
    const only = (name: "person" | "layer", value: string) => () => {
      filters[name] = value;
      drawBar();
      again();
    };
    const close = () => {
      selected = null;
      drawDetail();
      list.mark();
    };
    const layerLink = (layer: string) => filterLink(layer, t("log.onlyThis"), only("layer", layer));
    const { person } = entry;
    const more = Object.entries(entry.detail);
    replace(
      detail,
      h("header", {}, h("div", {}, h("h2", {}, t("log.entry", { n: String(entry.seq) })), resultTag(entry)), iconButton("close", t("dialog.close"), close)),
      h(
        "div",
        { class: "detail-scroll padded" },
        facts([
          [t("log.time"), time(entry)],
          [t("log.person"), person ? filterLink(person.name, t("log.onlyThis"), only("person", person.name)) : viaName(entry.via)],
          [t("person.id"), person?.id ? h("code", {}, person.id) : null],
          [t("log.via"), viaName(entry.via)],
          [t("log.address"), entry.address],
          [t("log.verb"), verbName(entry.verb)],
          [t("log.what"), h("code", {}, entry.what)],
          [t("log.layers"), entry.layers.length > 0 ? h("span", { class: "tags" }, ...entry.layers.map(layerLink)) : null],
          [t("log.status"), entry.status === null ? null : String(entry.status)],
        ]),
        more.length > 0 &&
          h(
            "section",
            { class: "detail-part" },
            h("h3", {}, t("log.details")),
            facts(more.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)])),
          ),
        h("section", { class: "detail-part" }, h("h3", {}, t("log.hash")), h("code", { class: "hash" }, entry.hash)),
      ),
    );
  };

  const draw = () => {
    drawActions();
    list.show({ rows: entries, error, retry: () => void read(), empty: t(isFiltered(filters) ? "log.noMatch" : "log.empty") });
    replace(
      more,
      error && entries ? h("p", { class: "error-text" }, errorText(error)) : null,
      next !== null && entries
        ? h("button", { type: "button", class: "link", on: { click: () => void read(next!) } }, icon("refresh"), t("log.more", { n: formatNumber(total - entries.length) }))
        : null,
    );
    list.element.append(more);
  };
  languageChanged.on(() => {
    drawBar();
    drawVerdict();
    draw();
    drawDetail();
  });
  drawBar();
  drawVerdict();
  draw();
  void read();
  return h("div", { class: "office-page" }, bar, actions, verdict, h("div", { class: "office-split" }, list.element, detail));
}

/** Whom something was done to, where that is somebody else. */
function aboutWhom({ detail, person }: Entry): HTMLElement | null {
  const { name } = detail;
  return typeof name === "string" && name !== person?.name ? h("span", { class: "muted" }, name) : null;
}

function filterLink(label: string, hint: string, run: () => void): HTMLElement {
  return h("button", { type: "button", class: "link", title: hint, on: { click: run } }, label, icon("filter"));
}

function resultTag(entry: Entry): HTMLElement {
  const look = { ok: "good", denied: "warning", failed: "bad" }[entry.result] ?? "";
  const sign = { ok: "check", denied: "lock", failed: "warning" } as const;
  return h("span", { class: `tag ${look}` }, icon(sign[entry.result] ?? "help"), resultName(entry.result));
}
