/** The vital-signs board for a big screen: a tile for each sign, newest values, trend, and why it changed. */
import { h, icon, replace } from "../dom";
import { formatTime, languageChanged, localized, t } from "../i18n";
import type { Live } from "../live";
import { debounce } from "../signal";
import { s } from "../svg";
import { checkup } from "./api";
import { gridOf, trendOf } from "./signTrend";
import type { Store } from "./store";
import type { Sign, SignBoard } from "./types";
import { signed, unitOf, valueText, wordOf } from "./words";

/** Milliseconds between looks while nothing is told. */
const EVERY = 30_000;
/** Milliseconds after something happened in the city, as several things do at once. */
const AFTER = 1_000;
const WIDTH = 200;
const HEIGHT = 44;

function trendPicture(sign: Sign): SVGElement {
  const { curve, thresholds, end } = trendOf(sign, WIDTH, HEIGHT);
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "sign-trend", "aria-hidden": "true" },
    ...thresholds.map(({ kind, y }) => s("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: `threshold ${kind}` })),
    s("path", { d: curve, class: "curve" }),
    ...(end ? [s("path", { d: `M${end[0].toFixed(1)} ${end[1].toFixed(1)}h.01`, class: "end" })] : []),
  );
}

export class SignsBoard {
  private readonly heading = h("h2", {});
  private readonly counts = h("ul", { class: "sign-counts" });
  private readonly when = h("p", { class: "sign-when", role: "status" });
  private readonly grid = h("div", { class: "sign-grid" });
  readonly element = h("section", { class: "signs-stage" }, h("header", {}, this.heading, this.counts, this.when), this.grid);
  board: SignBoard | null = null;
  private lost = false;
  private pending = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly store: Store,
    live: Live,
  ) {
    const soon = debounce(AFTER, () => void this.load());
    for (const signal of [live.layer, live.alarm, live.resumed, live.renewal] as const) (signal as { on: (listener: () => void) => void }).on(soon);
    store.viewChanged.on(() => this.look());
    languageChanged.on(() => this.draw());
    new ResizeObserver(() => this.layOut()).observe(this.grid);
    this.look();
  }

  get busy(): boolean {
    return this.pending > 0;
  }

  private get shown(): boolean {
    return this.store.view === "signs";
  }

  /** Asks as long as somebody looks. */
  private look(): void {
    clearInterval(this.timer);
    if (!this.shown) return;
    void this.load();
    this.timer = setInterval(() => void this.load(), EVERY);
  }

  private async load(): Promise<void> {
    if (!this.shown || !this.store.overview.vital_signs) return this.draw();
    this.pending++;
    try {
      this.board = await checkup.signs();
      this.lost = false;
    } catch (error) {
      // The old values stay, and it is said that they are.
      this.lost = true;
      this.store.failed.emit(error);
    } finally {
      this.pending--;
    }
    this.draw();
  }

  private layOut(): void {
    const { columns, rows } = gridOf(this.board?.signs.length ?? 0, this.grid.clientWidth, this.grid.clientHeight);
    this.grid.style.setProperty("--columns", String(columns));
    this.grid.style.setProperty("--rows", String(rows));
  }

  private draw(): void {
    const { board } = this;
    this.heading.textContent = t("checkup.view.signs");
    if (!board) {
      replace(this.counts);
      this.when.textContent = "";
      return replace(this.grid, h("p", { class: "empty-note" }, t(this.store.overview.vital_signs ? "checkup.evidence.loading" : "checkup.signs.none")));
    }
    const count = (state: Sign["state"]) => board.signs.filter((sign) => sign.state === state).length;
    replace(this.counts, ...(["alarm", "attention", "normal", "unknown"] as const).map((state) => h("li", { class: `sign-state ${state}` }, h("i", { "aria-hidden": "true" }, t(`checkup.sign.${state}.sign`)), t(`checkup.sign.${state}`), h("b", {}, String(count(state))))));
    const at = formatTime(new Date(board.at).toISOString());
    replace(this.when, this.lost && icon("warning"), t(this.lost ? "checkup.signs.old" : "checkup.signs.at", { at }));
    this.when.classList.toggle("lost", this.lost);
    replace(this.grid, ...(board.signs.length > 0 ? board.signs.map((sign) => this.tile(sign)) : [h("p", { class: "empty-note" }, t("checkup.signs.none"))]));
    this.layOut();
  }

  private tile(sign: Sign): HTMLElement {
    const { thresholds, change, state } = sign;
    const threshold = (kind: "attention" | "alarm") => (thresholds?.[kind] == null ? null : `${t(`checkup.sign.${kind}`)} ${thresholds.direction === "higher" ? "<" : ">"} ${valueText(sign, thresholds[kind])}`);
    const limits = [threshold("attention"), threshold("alarm")].filter(Boolean).join(" / ");
    return h(
      "article",
      { class: `sign ${state}`, "data-sign": sign.code, "aria-label": `${localized(sign.name)} ${valueText(sign, sign.value)} ${unitOf(sign)} ${t(`checkup.sign.${state}`)}` },
      h("header", {}, h("h3", { title: localized(sign.name) }, localized(sign.name)), h("span", { class: `sign-state ${state}` }, h("i", { "aria-hidden": "true" }, t(`checkup.sign.${state}.sign`)), t(`checkup.sign.${state}`))),
      h(
        "p",
        { class: "sign-value" },
        h("b", {}, valueText(sign, sign.value)),
        h("small", {}, unitOf(sign)),
        change !== null && change !== 0 && h("span", { class: "sign-change" }, `${change > 0 ? "↑" : "↓"} ${signed(sign, change)}`),
      ),
      trendPicture(sign),
      h("p", { class: "sign-limits" }, limits || wordOf(this.store.overview, "statuses", sign.status)),
      h("p", { class: "sign-why" }, localized(sign.reason_text ?? sign.explanation)),
    );
  }
}
