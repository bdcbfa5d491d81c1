/** Which window of time all of the panel is about. */
import { h, replace } from "../../dom";
import { language, t } from "../../i18n";
import { fromInput, moment, toInput } from "../../sensing/panels/when";
import { choice, type Control } from "../../ui/controls";
import type { PanelStore } from "./store";
import { SPAN_NAMES, type SpanName } from "./windows";

export function windowBar(store: PanelStore) {
  const spans = h("div", { class: "crossing-spans" });
  const told = h("p", { class: "muted crossing-window" });
  const own = h("form", { class: "crossing-own", hidden: true });
  const element = h("div", { class: "crossing-time" }, spans, told, own);
  let choosing = false;
  let drawnIn = "";
  let control: Control | null = null;

  const drawOwn = () => {
    own.hidden = !choosing;
    if (!choosing) return replace(own);
    const [start, end] = store.window ?? [Date.now() - 3_600_000, Date.now()];
    const input = (name: string, label: string, time: number) => h("input", { type: "datetime-local", name, "aria-label": label, value: toInput(time), required: true });
    const [first, last] = [input("start", t("crossing.from"), start), input("end", t("crossing.to"), end)];
    replace(own, first, h("span", {}, t("crossing.to")), last, h("button", { type: "submit", class: "button small" }, t("crossing.show")));
    own.onsubmit = (event) => {
      event.preventDefault();
      const [from, to] = [fromInput(first.value), fromInput(last.value)];
      last.setCustomValidity(from < to ? "" : t("crossing.backwards"));
      if (!own.reportValidity()) return;
      choosing = false;
      store.show([from, to]);
    };
    first.oninput = last.oninput = () => last.setCustomValidity("");
    first.focus();
  };

  const draw = () => {
    if (drawnIn !== language()) {
      drawnIn = language();
      const names = [...SPAN_NAMES, "own" as const];
      control = choice<SpanName | "own">(t("crossing.window"), names.map((name) => [name, t(`crossing.window.${name}`)] as const), () => (choosing ? "own" : store.span), (name) => {
        choosing = name === "own";
        if (name !== "own") store.show(name);
        else control!.sync();
        drawOwn();
      });
      replace(spans, control.element);
      if (choosing) drawOwn();
    }
    control!.sync();
    if (!choosing && !own.hidden) drawOwn();
    const { window } = store;
    const text = window ? `${moment(window[0])} – ${moment(window[1])}` : store.detail.value ? t("crossing.unrecorded") : "";
    if (told.textContent !== text) told.textContent = text;
  };
  return { element, draw };
}
