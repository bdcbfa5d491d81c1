/** What somebody may do about an alarm: acknowledge it, let it rest, close it. */
import type { App } from "../../app";
import { h, icon } from "../../dom";
import { localized, t } from "../../i18n";
import { may } from "../../rights";
import { openDialog } from "../../ui/dialog";
import { dialogForm, field } from "../../ui/form";
import { toast } from "../../ui/toast";
import { type Alarm, type Answers, isOpen } from "./alarmApi";
import { clock, DAY, fromInput, toInput } from "./when";

const HOUR = DAY / 24;
/** How long an alarm may rest, as it is offered; "own" is any time. */
const RESTS = { "1h": HOUR, "4h": 4 * HOUR, "1d": DAY, "7d": 7 * DAY } as const;
const LONGEST_NOTE = 2_000;

/** The buttons for whoever looks; null where there is nothing for them to do. */
export function alarmActions(app: App, alarm: Alarm): HTMLElement | null {
  if (!may("respond") || !isOpen(alarm)) return null;
  const button = (name: Parameters<typeof icon>[0], label: string, run: () => void, primary = false) =>
    h("button", { type: "button", class: `button small${primary ? " primary" : ""}`, on: { click: run } }, icon(name), label);
  return h(
    "div",
    { class: "alarm-actions" },
    alarm.state === "raised" && button("check", t("alarm.acknowledge"), () => acknowledge(app, alarm), true),
    button("rest", t("alarm.shelve"), () => shelve(app, alarm)),
    button("lock", t("alarm.close"), () => close(app, alarm), alarm.state === "handling"),
  );
}

/** Sends an answer; that somebody was faster is told with how the alarm stands now. */
async function send<What extends keyof Answers>(app: App, alarm: Alarm, what: What, body: Answers[What], done: string): Promise<void> {
  if (await app.alarms.answer(alarm, what, body)) return toast(done);
  const now = app.alarms.detail;
  if (!now) return;
  const state = t(`alarm.state.${now.state}`);
  toast(now.handler === null ? t("alarm.faster", { state }) : t("alarm.fasterBy", { state, who: now.handler }), "error");
}

function dialog(alarm: Alarm, title: string, action: string, parts: HTMLElement[], run: () => Promise<void>): void {
  const { body, close: end } = openDialog(title, "alarm-dialog");
  const about = h("p", { class: "muted" }, `${localized(alarm.title)} – ${alarm.thing.name}`);
  const all = async () => {
    await run();
    end();
  };
  body.append(about, dialogForm({ parts, action, cancel: end, run: all }));
  parts.at(-1)?.querySelector("input")?.focus();
}

const text = (id: string, label: string, hint: string, required: boolean) =>
  field(id, label, { type: "text", required, maxlength: LONGEST_NOTE, autocomplete: "off", spellcheck: "true" }, hint);

function acknowledge(app: App, alarm: Alarm): void {
  const note = text("alarm-note", t("alarm.note"), t("alarm.noteHint"), false);
  dialog(alarm, t("alarm.acknowledge"), t("alarm.acknowledge"), [note.element], () =>
    send(app, alarm, "acknowledgement", { note: note.input.value.trim() }, t("alarm.acknowledged")),
  );
}

function shelve(app: App, alarm: Alarm): void {
  const until = h("input", { type: "datetime-local", id: "alarm-until", value: toInput(Date.now() + HOUR), hidden: true, "aria-label": t("alarm.until") });
  const choices = h(
    "select",
    {
      id: "alarm-rest",
      on: {
        change: () => {
          until.hidden = choices.value !== "own";
          until.required = !until.hidden;
        },
      },
    },
    ...Object.keys(RESTS).map((name) => h("option", { value: name }, t(`alarm.rest.${name as keyof typeof RESTS}`))),
    h("option", { value: "own" }, t("alarm.rest.own")),
  );
  const rest = h("div", { class: "field" }, h("label", { for: "alarm-rest" }, t("alarm.until")), choices, until);
  const reason = text("alarm-reason", t("alarm.reason"), t("alarm.shelveHint"), true);
  dialog(alarm, t("alarm.shelve"), t("alarm.shelve"), [rest, reason.element], () => {
    const span = RESTS[choices.value as keyof typeof RESTS] as number | undefined;
    const time = span === undefined ? fromInput(until.value) : Date.now() + span;
    const done = t("alarm.shelved", { time: clock(time) });
    return send(app, alarm, "shelving", { until: Math.round(time), reason: reason.input.value.trim() }, done);
  });
}

function close(app: App, alarm: Alarm): void {
  const reason = text("alarm-reason", t("alarm.reason"), t("alarm.closeHint"), true);
  dialog(alarm, t("alarm.close"), t("alarm.close"), [reason.element], () =>
    send(app, alarm, "closing", { reason: reason.input.value.trim() }, t("alarm.closed")),
  );
}
