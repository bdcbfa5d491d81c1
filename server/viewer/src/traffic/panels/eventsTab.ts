/** What was recognised at this intersection, why it is congested, and closing what is over. */
import { h, icon, iconButton, replace } from "../../dom";
import { formatNumber, isTextKey, said, t } from "../../i18n";
import { may } from "../../rights";
import { moment, span } from "../../sensing/panels/when";
import { openDialog } from "../../ui/dialog";
import { errorText } from "../../ui/errors";
import { dialogForm, field } from "../../ui/form";
import { toast } from "../../ui/toast";
import type { Intersection, TrafficEvent } from "../types";
import { timeOf } from "./measureRows";
import type { Part } from "./part";
import type { PanelStore } from "./store";
import type { Names } from "./words";

const LONGEST_NOTE = 2_000;

interface Cause {
  kind: string;
  score: number;
  en: string;
  zh: string;
}

/** Those at an intersection: in it, or on a link that leads to it. */
export function eventsAt(events: readonly TrafficEvent[], of: Pick<Intersection, "id" | "approaches">): TrafficEvent[] {
  const links = new Set(of.approaches.map(({ link }) => link));
  const here = events.filter(({ intersection, link }) => intersection === of.id || (link !== null && links.has(link)));
  const open = (one: TrafficEvent) => (one.state === "open" ? 0 : 1);
  return here.sort((a, b) => open(a) - open(b) || timeOf(b.begun) - timeOf(a.begun));
}

/** The causes of several events, each once with the best that speaks for it, the likeliest first. */
export function causesOf(events: readonly TrafficEvent[]): Cause[] {
  const best = new Map<string, Cause>();
  for (const { causes } of events) {
    for (const cause of Array.isArray(causes) ? (causes as Cause[]) : []) {
      const known = best.get(cause.kind);
      if (!known || known.score < cause.score) best.set(cause.kind, cause);
    }
  }
  return [...best.values()].sort((a, b) => b.score - a.score);
}

export function kindWord(kind: string): string {
  const key = `traffic.kind.${kind}`;
  return isTextKey(key) ? t(key) : kind;
}

export function eventsTab(store: PanelStore): Part {
  const note = h("p", { class: "crossing-note", role: "status" });
  const causes = h("div", { class: "crossing-causes" });
  const list = h("ul", { class: "crossing-events" });
  const element = h("section", { class: "crossing-part" }, note, causes, list);

  const close = (event: TrafficEvent) => {
    const { body, close: end } = openDialog(t("crossing.events.close"), "alarm-dialog");
    const why = field("crossing-event-note", t("crossing.events.note"), { type: "text", required: true, maxlength: LONGEST_NOTE, autocomplete: "off" }, t("crossing.events.noteHint"));
    const run = async () => {
      await store.context.api.closeEvent(event.id, why.input.value.trim());
      end();
      toast(t("crossing.events.closed"));
      store.events.stale();
      store.changed.emit();
    };
    body.append(h("p", { class: "muted" }, `${kindWord(event.kind)}, ${moment(timeOf(event.begun))}`), dialogForm({ parts: [why.element], action: t("crossing.events.close"), cancel: end, run }));
    why.input.focus();
  };

  const row = (event: TrafficEvent, names: Names) => {
    const open = event.state === "open";
    const begun = timeOf(event.begun);
    const until = event.ended === null ? store.now : timeOf(event.ended);
    const where = event.lane !== null ? names.lane(event.lane) : event.link !== null ? names.approach(event.link) : "";
    return h(
      "li",
      { "data-event": event.id, class: open ? "open" : "" },
      h("p", { class: "crossing-event-head" }, h("strong", {}, kindWord(event.kind)), h("span", { class: open ? "tag warning" : "tag" }, t(open ? "crossing.events.open" : "crossing.events.over")), iconButton("target", t("crossing.events.go"), () => void store.context.goTo(event.place), { class: "small" })),
      h("p", { class: "muted" }, [moment(begun), t("crossing.events.lasted", { span: span(until - begun) }), where, t("crossing.events.sure", { n: Math.round(event.confidence * 100) })].filter((text) => text !== "").join(", ")),
      event.note ? h("p", {}, event.note) : null,
      open && may("respond") ? h("button", { type: "button", class: "button small", on: { click: () => close(event) } }, icon("check"), t("crossing.events.close")) : null,
    );
  };

  const draw = () => {
    store.wantEvents();
    const { events, detail, names } = store;
    const found = events.value && detail.value ? eventsAt(events.value, detail.value) : [];
    const why = causesOf(found);
    element.setAttribute("aria-busy", String(events.busy));
    note.classList.toggle("error-text", events.error !== null);
    note.textContent = events.error ? errorText(events.error) : events.value === null ? t("crossing.loading") : found.length === 0 ? t("crossing.events.nothing") : t("crossing.events.count", { n: found.length, open: found.filter(({ state }) => state === "open").length });
    replace(
      causes,
      why.length > 0 && h("h3", {}, t("crossing.causes")),
      why.length > 0 &&
        h(
          "ol",
          {},
          ...why.map((cause) => h("li", {}, h("meter", { min: 0, max: 1, value: cause.score, "aria-hidden": "true" }), h("span", {}, said(cause.en, cause.zh)), h("span", { class: "count" }, t("crossing.causes.score", { n: formatNumber(Math.round(cause.score * 100)) })))),
        ),
    );
    replace(list, ...(names ? found.map((event) => row(event, names)) : []));
  };
  return { element, draw };
}
