/** What is under the pointer: a vehicle, a signal, an intersection or an event. */
import { h, replace } from "../../dom";
import { t } from "../../i18n";
import { LIGHT_LOOKS, userOf } from "../scene/looks";
import type { Sign } from "../scene/signs";
import type { TrafficStore } from "../store";
import { intersectionName, kindName, kmh, userName } from "./words";

export function trafficTip(store: TrafficStore): { element: HTMLElement; off: () => void } {
  const { canvas } = store.app.widget;
  const element = h("div", { class: "thing-tip traffic-tip", hidden: true, role: "status" });
  let at: { x: number; y: number } | null = null;
  let queued = false;

  const look = () => {
    queued = false;
    const lines = at ? linesAt(store, at.x, at.y) : null;
    element.hidden = !lines;
    if (!lines || !at) return;
    canvas.style.cursor = "pointer";
    const [title, ...others] = lines;
    replace(element, h("strong", {}, title!), ...others.map((line) => h("span", { class: "tip-soft" }, line)));
    const left = Math.min(Math.max(4, at.x + 14), canvas.clientWidth - element.offsetWidth - 4);
    const top = at.y + 18 + element.offsetHeight > canvas.clientHeight ? at.y - element.offsetHeight - 12 : at.y + 18;
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };
  const move = (event: PointerEvent) => {
    at = event.buttons === 0 ? { x: event.offsetX, y: event.offsetY } : null;
    if (queued) return;
    queued = true;
    requestAnimationFrame(look);
  };
  const off = () => {
    at = null;
    element.hidden = true;
  };
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerleave", off);
  return { element, off };
}

function ofSign(store: TrafficStore, sign: Sign): string[] {
  if (sign.what === "event") {
    const one = store.events.all.find(({ id }) => String(id) === sign.id);
    return one ? [kindName(one.kind), t(one.ended === null ? "traffic.events.open" : "traffic.events.ended")] : [];
  }
  if (sign.what === "intersection") {
    const one = store.intersections.find(({ id }) => id === sign.id);
    return one ? [intersectionName(one)] : [];
  }
  const { head, shown } = sign;
  const { lamps } = LIGHT_LOOKS[shown?.light ?? "unknown"];
  const light = t(lamps.length === 0 ? "traffic.light.none" : (["traffic.light.red", "traffic.light.yellow", "traffic.light.green"] as const)[lamps[0]!]);
  const left = shown && shown.remaining !== null ? Math.max(0, Math.round(shown.remaining - (store.now - shown.at) / 1000)) : null;
  return [t("traffic.group", { id: head.group }), left === null ? light : t("traffic.light.for", { light, seconds: left })];
}

function linesAt(store: TrafficStore, x: number, y: number): string[] | null {
  const sign = store.scene.signs.at(x, y);
  const lines = sign ? ofSign(store, sign) : [];
  if (lines.length > 0) return lines;
  const i = store.scene.vehicleAt(x, y);
  if (i < 0) return null;
  const { kind, speed } = store.scene.vehicles.ways;
  return [userName(userOf(kind[i]!)), t("traffic.speedOf", { speed: kmh(speed[i]!) })];
}
