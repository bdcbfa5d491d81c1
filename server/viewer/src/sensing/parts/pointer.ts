/** Pointing at symbols and cells tells what they are; a click selects a thing. */
import { BoundingSphere, Cartesian2, Cartographic, Math as CesiumMath } from "cesium";
import type { App } from "../../app";
import { h, replace } from "../../dom";
import { formatNumber, t } from "../../i18n";
import { markOf, MARKS } from "../marks";
import { ago } from "../panels/when";
import { markSign } from "../signs";
import type { Marker } from "../symbols";
import type { Thing } from "../types";
import { primary, withUnit } from "../values";
import { className, markName, markSentence, propertyName } from "./words";

/** Metres: things nearer to each other cannot be told apart by coming closer. */
const TOGETHER = 2;

/** Selects what stands at a place, or comes closer to what is together there; false if nothing is. */
export function clickThing(app: App, x: number, y: number): boolean {
  const marker = app.symbols.at(x, y);
  if (!marker) return false;
  const { things } = marker;
  const places = things.map((thing) => app.places.of(thing)).filter((place) => place !== null);
  const sphere = BoundingSphere.fromPoints(places);
  if (things.length === 1 || sphere.radius < TOGETHER) {
    // One after the other, of those that stand in the same place.
    const next = things.findIndex(({ id }) => id === app.sensing.selected?.id) + 1;
    app.sensing.select(things[next % things.length]!.id);
  } else void app.camera.flyTo(boxOf(sphere));
  return true;
}

/** A box around a sphere, in degrees and metres. */
function boxOf({ center, radius }: BoundingSphere): readonly [number, number, number, number, number, number] {
  const { longitude, latitude, height } = Cartographic.fromCartesian(center);
  const [lon, lat] = [CesiumMath.toDegrees(longitude), CesiumMath.toDegrees(latitude)];
  const north = radius / 2 / 111_320;
  const east = north / Math.cos(latitude);
  return [lon - east, lat - north, height - 1, lon + east, lat + north, height + 1];
}

export function thingTip(app: App): HTMLElement {
  const { canvas, scene, camera } = app.widget;
  const tip = h("div", { class: "thing-tip", hidden: true, role: "status" });
  let at: { x: number; y: number } | null = null;
  let queued = false;

  const place = (x: number, y: number) => {
    tip.hidden = false;
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = Math.min(Math.max(4, x + 14), canvas.clientWidth - width - 4);
    const top = y + 18 + height > canvas.clientHeight ? y - height - 12 : y + 18;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };

  const look = () => {
    queued = false;
    const marker = at && app.symbols.at(at.x, at.y);
    canvas.style.cursor = marker && !app.toolbox.active?.click ? "pointer" : "";
    const cell = at && !marker ? cellText(app, scene.globe.pick(camera.getPickRay(new Cartesian2(at.x, at.y))!, scene)) : null;
    if (!at || (!marker && !cell)) {
      tip.hidden = true;
      return;
    }
    if (marker) replace(tip, ...(marker.things.length > 1 ? ofGroup(marker) : ofThing(app, marker.things[0]!)));
    else replace(tip, ...cell!);
    place(at.x, at.y);
  };
  const later = () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(look);
  };
  canvas.addEventListener("pointermove", (event) => {
    at = event.buttons === 0 ? { x: event.offsetX, y: event.offsetY } : null;
    later();
  });
  canvas.addEventListener("pointerleave", () => {
    at = null;
    later();
  });
  app.sensing.changed.on(() => !tip.hidden && later());
  app.symbols.changed.on(() => !tip.hidden && later());
  return tip;
}

function ofThing(app: App, thing: Thing): HTMLElement[] {
  const { sensing } = app;
  const said = primary(sensing, thing);
  const past = sensing.clock.at !== null;
  const value = said && said.value !== null && !past;
  return [
    h("strong", {}, thing.name),
    h("span", { class: "tip-soft" }, className(sensing, thing.class)),
    ...(value ? [h("span", {}, `${propertyName(sensing, said.property)}: ${withUnit(said.value!, said.unit)}`)] : []),
    past
      ? h("span", { class: "tip-soft" }, t("sensors.past"))
      : h("span", { class: "tip-mark" }, markSign(markOf(thing)), markSentence(markOf(thing)), ...(thing.updated === null ? [] : [h("span", { class: "tip-soft" }, ago(thing.updated))])),
  ];
}

function ofGroup({ things }: Marker): HTMLElement[] {
  const counts = new Map(MARKS.map((mark) => [mark, things.filter((thing) => markOf(thing) === mark).length]));
  return [
    h("strong", {}, t("sensors.group", { n: things.length })),
    ...MARKS.filter((mark) => counts.get(mark)! > 0).map((mark) =>
      h("span", { class: "tip-mark" }, markSign(mark), `${markName(mark)} ${formatNumber(counts.get(mark)!)}`),
    ),
    h("span", { class: "tip-soft" }, t("sensors.groupHint")),
  ];
}

/** What the cell of the heat map at a place stands for. */
function cellText(app: App, position: Parameters<typeof Cartographic.fromCartesian>[0] | undefined): HTMLElement[] | null {
  const { heat } = app;
  if (!heat.choice || !position) return null;
  const { longitude, latitude } = Cartographic.fromCartesian(position);
  const cell = heat.cellAt(CesiumMath.toDegrees(longitude), CesiumMath.toDegrees(latitude));
  if (!cell) return null;
  const { statistic, property } = heat.choice;
  if (statistic === "count") return [h("strong", {}, t("heat.ofCount", { n: cell.value })), h("span", { class: "tip-soft" }, propertyName(app.sensing, property))];
  return [
    h("strong", {}, `${propertyName(app.sensing, property)}: ${withUnit(cell.value, heat.unit)}`),
    h("span", { class: "tip-soft" }, t("heat.of", { statistic: t(`heat.${statistic}`), n: cell.count })),
  ];
}
