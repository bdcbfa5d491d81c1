/**
 * `window.renewal`: what browser tests need to wait on the state of the view and to compare it with
 * what the server tells, without sleeping and without guessing pixels.
 */
import type { Frame } from "./frame";
import type { Store } from "./store";

/** Milliseconds after which it is said what is still awaited, rather than waited for ever. */
const PATIENCE = 180_000;

export function testHook(store: Store, { stage, player, rotation }: Frame) {
  const idle = () => !store.busy && (store.mode === "table" || !stage.view || stage.view.settled);
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
        await new Promise((resolve) => setTimeout(resolve, 60));
        stage.view?.scene.widget.scene.requestRender();
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
