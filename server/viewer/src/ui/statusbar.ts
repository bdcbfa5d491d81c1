/** The line at the bottom: where the pointer is, how large things are, what is loading. */
import {
  Cartesian2,
  Cartographic,
  Cartesian3,
  Math as CesiumMath,
  ScreenSpaceEventHandler,
  ScreenSpaceEventType,
} from "cesium";
import type { App } from "../app";
import { h, icon } from "../dom";
import { formatNumber, languageChanged, t } from "../i18n";
import { liveBadge } from "../sensing/parts/liveBadge";

const READ_EVERY = 90;
const SCALE_PIXELS = 110;

/** The largest 1, 2 or 5 times a power of ten that is not above `limit`. */
export function roundDown(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  const digit = limit / power;
  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

export function statusbar(app: App): HTMLElement {
  const { scene, camera, canvas } = app.widget;
  const position = h("span", { class: "position" });
  const tiles = h("span", { class: "tiles", role: "status", hidden: true });
  const lost = h("span", { class: "lost", role: "status", hidden: true });
  const scaleBar = h("span", { class: "scale-bar" });
  const scaleText = h("span");
  const scale = h("span", { class: "scale", hidden: true }, scaleBar, scaleText);
  const element = h("footer", { class: "statusbar" }, position, lost, liveBadge(app), tiles, scale);

  let where: Cartographic | null = null;
  const writePosition = () => {
    position.textContent = where
      ? [
          `${CesiumMath.toDegrees(where.longitude).toFixed(6)}°`,
          `${CesiumMath.toDegrees(where.latitude).toFixed(6)}°`,
          t("bar.height", { h: formatNumber(Math.round(where.height * 10) / 10, 1) }),
        ].join("  ")
      : "";
  };

  const groundAt = (point: Cartesian2): Cartesian3 | undefined => {
    const ray = camera.getPickRay(point);
    return ray ? scene.globe.pick(ray, scene) : undefined;
  };

  /** On a model where there is one, else on the ground. */
  const read = (point: Cartesian2) => {
    const ground = groundAt(point);
    const model = scene.pickPositionSupported ? scene.pickPosition(point) : undefined;
    const nearer =
      model &&
      (!ground ||
        Cartesian3.distance(camera.positionWC, model) < Cartesian3.distance(camera.positionWC, ground) + 5);
    const hit = nearer ? model : ground;
    where = hit ? (Cartographic.fromCartesian(hit) ?? null) : null;
    writePosition();
  };

  let last = 0;
  let queued: ReturnType<typeof setTimeout> | undefined;
  const pointer = new ScreenSpaceEventHandler(canvas);
  pointer.setInputAction((event: ScreenSpaceEventHandler.MotionEvent) => {
    const point = Cartesian2.clone(event.endPosition);
    clearTimeout(queued);
    const wait = Math.max(0, READ_EVERY - (performance.now() - last));
    queued = setTimeout(() => {
      last = performance.now();
      read(point);
    }, wait);
  }, ScreenSpaceEventType.MOUSE_MOVE);

  const measure = () => {
    const y = canvas.clientHeight / 2;
    const x = canvas.clientWidth / 2;
    const left = groundAt(new Cartesian2(x - SCALE_PIXELS / 2, y));
    const right = groundAt(new Cartesian2(x + SCALE_PIXELS / 2, y));
    scale.hidden = !left || !right;
    if (!left || !right) return;
    const metres = Cartesian3.distance(left, right);
    const round = roundDown(metres);
    scaleBar.style.width = `${Math.round((SCALE_PIXELS * round) / metres)}px`;
    scaleText.textContent = round >= 1000 ? `${formatNumber(round / 1000)} km` : `${formatNumber(round)} m`;
  };

  scene.postRender.addEventListener(() => {
    let loading = 0;
    const drawn = [...app.layers.all.values()].flatMap((layer) => app.layers.drawn(layer));
    for (const { tileset } of drawn) {
      if (!tileset.show || tileset.tilesLoaded) continue;
      const statistics = (
        tileset as unknown as {
          statistics: { numberOfPendingRequests: number; numberOfTilesProcessing: number };
        }
      ).statistics;
      loading += statistics.numberOfPendingRequests + statistics.numberOfTilesProcessing;
    }
    tiles.hidden = loading === 0;
    if (loading > 0) tiles.textContent = t("bar.tiles", { n: loading });
  });
  camera.changed.addEventListener(measure);
  app.motion.rested.on(measure);
  scene.globe.tileLoadProgressEvent.addEventListener((left: number) => {
    if (left === 0) measure();
  });

  const writeLive = () => {
    lost.hidden = app.live.status !== "lost";
    lost.replaceChildren(icon("warning"), t("live.lost"));
  };
  app.live.state.on(writeLive);
  const label = () => {
    element.setAttribute("aria-label", t("bar.label"));
    scale.title = t("bar.scale");
    writePosition();
    writeLive();
    measure();
  };
  languageChanged.on(label);
  label();
  return element;
}
