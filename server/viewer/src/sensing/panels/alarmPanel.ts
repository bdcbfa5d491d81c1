/** The panel of the alarms, which stands in front of the workbench: the list, or one alarm. */
import type { App } from "../../app";
import { h, iconButton, replace } from "../../dom";
import { languageChanged, t } from "../../i18n";
import { toast } from "../../ui/toast";
import type { Alarm } from "./alarmApi";
import { alarmDetail } from "./alarmDetail";
import { alarmList } from "./alarmList";
import { levelWord } from "./levels";
import { goToThing } from "./places";

/** News of this level are told of wherever one looks. */
const TOLD = 3;

export function alarmPanel(app: App): HTMLElement {
  const { alarms, tone } = app;
  const look = (alarm: Alarm) => {
    void alarms.look(alarm.id);
    void goToThing(app, alarm.thing);
  };
  const back = () => {
    const from = alarms.looking;
    void alarms.look(null);
    list.focus(from);
  };
  const list = alarmList(app, look);
  const detail = alarmDetail(app, back);
  const head = h("div", { class: "workbench-head alarms-head" });
  const element = h("aside", { class: "panel alarms", id: "alarms", hidden: true }, head, list.element, detail.element);

  const drawHead = () => {
    element.setAttribute("aria-label", t("alarm.title"));
    const sound = iconButton(tone.on ? "sound" : "soundOff", t(tone.on ? "alarm.soundOn" : "alarm.soundOff"), () => (tone.on = !tone.on), {
      "aria-pressed": String(tone.on),
      class: "alarm-sound",
    });
    replace(head, h("h2", {}, t("alarm.title")), h("span", { class: "alarms-tools" }, sound, iconButton("close", t("alarm.closePanel"), () => alarms.setOpen(false))));
  };
  const draw = () => {
    element.hidden = !alarms.open;
    document.body.classList.toggle("alarms-open", alarms.open);
    list.element.hidden = alarms.looking !== null;
    detail.element.hidden = alarms.looking === null;
    if (alarms.open) list.draw();
  };
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // one step back, and nothing else
    if (alarms.looking !== null) back();
    else {
      alarms.setOpen(false);
      document.querySelector<HTMLElement>(".alarm-badge")?.focus();
    }
  });
  alarms.changed.on(draw);
  alarms.looked.on(() => {
    const before = detail.element.hidden;
    detail.draw();
    draw();
    if (before && !detail.element.hidden && alarms.open) detail.focus();
  });
  alarms.raised.on((alarm) => {
    if (alarm.level >= TOLD) toast(t("alarm.new", { level: levelWord(alarm.level), thing: alarm.thing.name }), "error");
  });
  tone.changed.on(() => {
    drawHead();
    head.querySelector<HTMLElement>(".alarm-sound")?.focus();
  });
  app.sensing.listed.on(() => alarms.open && list.draw());
  const write = () => {
    drawHead();
    list.write();
    detail.write();
    draw();
  };
  languageChanged.on(write);
  write();
  return element;
}
