/** The list of alarms with what is chosen of it; rows stay while what they tell stays. */
import type { App } from "../../app";
import { h, icon, replace } from "../../dom";
import { localized, t } from "../../i18n";
import { choice } from "../../ui/controls";
import { errorText } from "../../ui/errors";
import { type Alarm, type Show } from "./alarmApi";
import { against, className, stateTags, withClass } from "./alarmWords";
import { levelMark, levelSign, levelWord, WORST_FIRST } from "./levels";
import { ago, moment } from "./when";

const SHOWS: readonly Show[] = ["open", "closed", "all"];
const AGES_EVERY = 5_000;

interface Row {
  /** What it was made from: as long as that is the same, it stays. */
  from: string;
  element: HTMLElement;
  age: HTMLElement;
}

export interface AlarmList {
  element: HTMLElement;
  draw: () => void;
  /** Draws all anew, in the language of now. */
  write: () => void;
  focus: (id: number | null) => void;
}

export function alarmList(app: App, look: (alarm: Alarm) => void): AlarmList {
  const { alarms, sensing } = app;
  const filters = h("div", { class: "alarm-filters" });
  const note = h("p", { class: "empty-note", role: "status" });
  const list = h("ul", { class: "alarm-rows" });
  const more = h("button", { type: "button", class: "link alarm-more", on: { click: () => void alarms.next() } });
  const element = h("div", { class: "alarm-list" }, filters, h("div", { class: "panel-scroll" }, list, note, more));
  const rows = new Map<number, Row>();
  let syncFilters: () => void = () => undefined;

  const row = (alarm: Alarm, from: string): Row => {
    const age = h("time", { class: "alarm-age", title: moment(alarm.raised) }, ago(alarm.raised));
    const button = h(
      "button",
      { type: "button", class: "alarm-row", "data-id": alarm.id, on: { click: () => look(alarm) } },
      h("span", { class: "alarm-line" }, levelMark(alarm.level), age),
      h("strong", { class: "alarm-title" }, localized(alarm.title)),
      h("span", { class: "alarm-thing" }, withClass(sensing, alarm.thing)),
      h("span", { class: "alarm-line" }, h("span", { class: "alarm-against" }, against(alarm)), h("span", { class: "alarm-tags" }, ...stateTags(alarm))),
    );
    return { from, age, element: h("li", { class: `level-${alarm.level}` }, button) };
  };

  const classes = () => [...new Set(alarms.all.map(({ thing }) => thing.class))].sort();
  const drawFilters = () => {
    const show = choice<Show>(t("alarm.show"), SHOWS.map((name) => [name, t(`alarm.show.${name}`)] as const), () => alarms.show, (name) => alarms.choose({ show: name }));
    const levels = WORST_FIRST.map((level) =>
      h(
        "button",
        { type: "button", class: "alarm-level", "data-level": level, on: { click: () => alarms.choose({ level }) } },
        levelSign(level),
        levelWord(level),
      ),
    );
    const select = h("select", { "aria-label": t("alarm.class"), on: { change: () => alarms.choose({ thingClass: select.value || null }) } });
    let offered = "";
    syncFilters = () => {
      show.sync();
      levels.forEach((button, i) => button.setAttribute("aria-pressed", String(alarms.levels.has(WORST_FIRST[i]!))));
      const names = [...new Set([...classes(), ...(alarms.thingClass === null ? [] : [alarms.thingClass])])];
      const wanted = names.map((name) => `${name}=${className(sensing, name)}`).join(",");
      if (wanted !== offered) {
        offered = wanted;
        replace(select, h("option", { value: "" }, t("alarm.anyClass")), ...names.map((name) => h("option", { value: name }, className(sensing, name))));
      }
      select.value = alarms.thingClass ?? "";
    };
    replace(
      filters,
      h("div", { class: "alarm-line" }, show.element, select),
      h("div", { class: "alarm-levels", role: "group", "aria-label": t("alarm.levels") }, ...levels),
    );
  };

  const noteText = (): string => {
    if (!alarms.loaded) return t("alarm.loading");
    if (alarms.error) return errorText(alarms.error);
    if (alarms.listed.length > 0) return "";
    if (alarms.all.length > 0) return t("alarm.noneChosen");
    return t(alarms.show === "open" ? "alarm.noneOpen" : "alarm.none");
  };

  const draw = () => {
    syncFilters();
    const listed = alarms.listed;
    const wanted = listed.map((alarm) => {
      const from = `${alarm.version} ${alarm.active} ${className(sensing, alarm.thing.class)}`;
      const known = rows.get(alarm.id);
      if (known?.from === from) return known.element;
      const focused = known?.element.contains(document.activeElement);
      const made = row(alarm, from);
      rows.set(alarm.id, made);
      known?.element.replaceWith(made.element);
      if (focused) made.element.querySelector("button")!.focus();
      return made.element;
    });
    const there = new Set(listed.map(({ id }) => id));
    for (const id of rows.keys()) if (!there.has(id)) rows.delete(id);
    for (const child of [...list.children]) if (!wanted.includes(child as HTMLLIElement)) child.remove();
    wanted.forEach((child, i) => list.children[i] !== child && list.insertBefore(child, list.children[i] ?? null));
    const text = noteText();
    if (note.textContent !== text) note.textContent = text;
    note.hidden = text === "";
    note.classList.toggle("error-text", Boolean(alarms.error));
    more.hidden = !alarms.more;
  };

  setInterval(() => {
    for (const alarm of alarms.open ? alarms.listed : []) {
      const age = rows.get(alarm.id)?.age;
      const text = ago(alarm.raised);
      if (age && age.textContent !== text) age.textContent = text;
    }
  }, AGES_EVERY);
  const write = () => {
    rows.clear();
    list.replaceChildren();
    replace(more, icon("refresh"), t("analysis.more"));
    drawFilters();
    draw();
  };
  const focus = (id: number | null) => {
    const found = id === null ? undefined : rows.get(id)?.element.querySelector("button");
    (found ?? filters.querySelector<HTMLElement>("[aria-pressed=true]"))?.focus();
  };
  return { element, draw, write, focus };
}
