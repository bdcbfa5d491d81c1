/**
 * `window.renewal`: what browser tests need to wait on the state of the view and to compare it with
 * what the server tells, without sleeping and without guessing pixels.
 */
import type { Frame } from "./frame";
import type { Store } from "./store";

/** Milliseconds after which it is said what is still awaited, rather than waited for ever. */
const PATIENCE = 180_000;
/** Milliseconds between looks. */
const PAUSE = 60;
/** Milliseconds after which a map is taken to be out of sight, where it draws nothing. */
const UNDRAWN = 5_000;

export function testHook(store: Store, { stage, player, rotation }: Frame) {
  const map = () => (store.mode === "table" ? null : stage.view);
  const idle = () => !store.busy && (map()?.settled ?? true);
  /** The map's next picture: until it is drawn, nothing on it has moved. Where there is no map, a moment. */
  const frame = async () => {
    const scene = map()?.scene.widget.scene;
    if (!scene) return new Promise<void>((resolve) => setTimeout(resolve, PAUSE));
    let stop: () => void = () => undefined;
    const drawn = new Promise<void>((resolve) => (stop = scene.postRender.addEventListener(() => resolve())));
    const hidden = new Promise<void>((resolve) => setTimeout(resolve, UNDRAWN));
    scene.requestRender();
    await Promise.race([drawn, hidden]);
    stop();
    // What a picture sets off comes after it.
    return new Promise<void>((resolve) => setTimeout(resolve, PAUSE));
  };
  return {
    store,
    player,
    rotation,
    /** The map, null where there is none. */
    map: () => stage.view,
    /** Resolves when nothing is asked for, loaded or moved for a few frames. */
    settled: async () => {
      const begun = performance.now();
      for (let still = 0; still < 4; ) {
        if (performance.now() - begun > PATIENCE) throw new Error(`not settled: busy ${store.busy}, map ${stage.view?.settled}`);
        await frame();
        still = idle() ? still + 1 : 0;
      }
    },
    /** Lights, colours and places of the signs on the map, by project. */
    signs: () =>
      Object.fromEntries(
        (stage.view?.marks.placed ?? []).map(({ project, light, x, y }) => [project.id, { light, x, y, colour: stage.view!.polygons.colourOf(project.id) }]),
      ),
    /** Colours of a layer's features, by id, as the engine has them. */
    buildingColours: (layer: string) => stage.view!.buildings.coloursOf(stage.view!.layers.get(layer)!),
    /** Looks at a box of degrees at once. */
    lookAt: (box: [number, number, number, number]) => stage.view!.flight.to(box, 0),
    canvas: () => stage.view?.scene.widget.canvas.getBoundingClientRect().toJSON() as DOMRect,
  };
}

export type RenewalHook = ReturnType<typeof testHook>;

declare global {
  interface Window {
    renewal?: RenewalHook;
  }
}
