/** One alarm: what it says, what may be done, what is near, and who did what about it. */
import type { App } from "../../app";
import { type Child, h, icon, iconButton, replace } from "../../dom";
import { formatNumber, isTextKey, localized, said, t } from "../../i18n";
import { errorText } from "../../ui/errors";
import { facts } from "../../ui/receipt";
import { formatLength } from "../../units";
import { alarmActions } from "./alarmActions";
import type { Alarm, AlarmDetail, AlarmEvent, Near, NearFeature, NearThing } from "./alarmApi";
import { against, className, stateTags } from "./alarmWords";
import { levelMark } from "./levels";
import { goToFeature, goToThing } from "./places";
import { ago, moment, span } from "./when";

const NEAR = ["facilities", "roads", "valves"] as const;

export interface AlarmView {
  element: HTMLElement;
  draw: () => void;
  /** Draws all anew, in the language of now. */
  write: () => void;
  focus: () => void;
}

export function alarmDetail(app: App, back: () => void): AlarmView {
  const { alarms, sensing } = app;
  const element = h("div", { class: "alarm-detail" });
  let shown = "";

  /** As the list knows it, until the rest has come. */
  const current = (): Alarm | AlarmDetail | undefined => alarms.detail ?? alarms.all.find(({ id }) => id === alarms.looking);

  const head = (alarm: Alarm): HTMLElement =>
    h(
      "header",
      { class: `alarm-head level-${alarm.level}` },
      h("div", { class: "alarm-line" }, levelMark(alarm.level), h("span", { class: "alarm-tags" }, ...stateTags(alarm))),
      h("h2", {}, localized(alarm.title)),
      h("p", {}, localized(alarm.message)),
    );

  const about = (alarm: Alarm): HTMLElement => {
    const { thing } = alarm;
    const go = h("button", { type: "button", class: "link", on: { click: () => void goToThing(app, thing) } }, icon("target"), thing.name);
    const feature =
      thing.feature !== null &&
      h(
        "button",
        { type: "button", class: "link", on: { click: () => void goToFeature(app, thing.layer, thing.feature!) } },
        app.layers.get(thing.layer)?.collection.title ?? thing.layer,
      );
    return facts([
      [t("alarm.value"), against(alarm)],
      [t("alarm.at"), go],
      [t("alarm.class"), className(sensing, thing.class)],
      [t("alarm.on"), feature || null],
      [t("alarm.raised"), `${moment(alarm.raised)} (${ago(alarm.raised)})`],
      [t("alarm.ended"), alarm.ended === null ? null : `${moment(alarm.ended)} (${span(alarm.ended - alarm.raised)})`],
      [t("alarm.handler"), alarm.handler],
    ]);
  };

  const chart = (alarm: Alarm): HTMLElement =>
    h(
      "button",
      { type: "button", class: "button small", on: { click: () => app.series.add(...alarm.datastreams) } },
      icon("chart"),
      t("alarm.chart"),
    );

  const nearby = (near: Near): Child[] => {
    const people = Object.entries(near.people).filter(([, n]) => n > 0);
    const found = NEAR.filter((kind) => near[kind].length > 0);
    const groups = found.map((kind) => h("div", { class: "alarm-near" }, h("h4", {}, t(`alarm.near.${kind}`)), h("ul", {}, ...near[kind].map(nearFeature))));
    if (near.things.length > 0) groups.push(h("div", { class: "alarm-near" }, h("h4", {}, t("alarm.near.things")), h("ul", {}, ...near.things.map(nearThing))));
    return [
      h("h3", {}, t("alarm.near", { distance: formatLength(near.radius) })),
      people.length > 0 &&
        facts(people.map(([kind, n]) => [isTextKey(`alarm.people.${kind}`) ? t(`alarm.people.${kind}` as never) : kind, formatNumber(n, 0)])),
      ...groups,
      people.length + groups.length === 0 && h("p", { class: "muted" }, t("alarm.nearNothing")),
    ];
  };

  const nearFeature = ({ layer, id, name, class: kind, distance }: NearFeature): HTMLElement =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "link", title: id, on: { click: () => void goToFeature(app, layer, id) } }, name || titleOf(layer, kind)),
      h("span", { class: "count" }, formatLength(distance)),
    );
  const nearThing = ({ id, name, class: kind, distance }: NearThing): HTMLElement =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "link", title: className(sensing, kind), on: { click: () => goToThing(app, { id, lon: null, lat: null }) } }, name),
      h("span", { class: "count" }, formatLength(distance)),
    );
  const titleOf = (layer: string, kind: string) =>
    localized(app.layers.get(layer)?.collection.classes.find((one) => one.class === kind)?.title) || kind;

  const event = ({ at, who, what, note, note_zh }: AlarmEvent): HTMLElement => {
    const key = `alarm.what.${what}`;
    return h(
      "li",
      {},
      h("time", { title: moment(at) }, moment(at)),
      h("strong", {}, isTextKey(key) ? t(key) : what),
      who !== null && h("span", {}, who),
      note !== "" && what !== "raised" && h("p", {}, said(note, note_zh)),
    );
  };

  const draw = () => {
    if (alarms.looking === null) {
      shown = "";
      return replace(element);
    }
    const alarm = current();
    const detail = alarms.detail;
    // What is looked at stays as it is until there is something else to tell.
    const from = `${alarms.looking} ${alarm?.version} ${detail !== null} ${String(alarms.detailError)} ${sensing.classes.size}`;
    if (from === shown) return;
    const scrolled = element.querySelector(".panel-scroll")?.scrollTop ?? 0;
    const same = shown.startsWith(`${alarms.looking} `);
    const focused = element.contains(document.activeElement);
    shown = from;
    replace(
      element,
      h("div", { class: "alarm-back" }, iconButton("back", t("alarm.back"), back), h("span", {}, t("alarm.back"))),
      alarm && head(alarm),
      alarm && alarmActions(app, alarm),
      h(
        "div",
        { class: "panel-scroll" },
        alarm && h("section", {}, about(alarm), alarm.datastreams.length > 0 && chart(alarm)),
        alarms.detailError ? h("p", { class: "error-text" }, errorText(alarms.detailError)) : null,
        !detail && !alarms.detailError && h("p", { class: "empty-note" }, t("alarm.loadingOne")),
        detail && h("section", {}, ...nearby(detail.near)),
        detail && h("section", {}, h("h3", {}, t("alarm.history")), h("ol", { class: "alarm-events" }, ...detail.events.map(event))),
      ),
    );
    if (same) element.querySelector(".panel-scroll")!.scrollTop = scrolled;
    if (focused) focus();
  };
  const focus = () => element.querySelector("button")?.focus();
  const write = () => {
    shown = "";
    draw();
  };
  return { element, draw, write, focus };
}
