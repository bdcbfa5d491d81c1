/**
 * `window.renewal`: what browser tests need to wait on the state of the view and to compare it with
 * what the server tells, without sleeping and without guessing pixels.
 */
import { settled } from "../page/settling";
import type { Frame } from "./frame";
import type { Store } from "./store";

export function testHook(store: Store, { stage, player, rotation }: Frame) {
  const map = () => (store.mode === "table" ? null : stage.view);
  return {
    store,
    player,
    rotation,
    /** The map, null where there is none. */
    map: () => stage.view,
    /** Resolves when nothing is asked for, loaded or moved for a few frames. */
    settled: () => settled(map, () => store.busy),
    /** Lights, colours and places of the signs on the map, by project. */
    signs: () =>
      Object.fromEntries(
        (stage.view?.marks.placed ?? []).map(({ id, x, y }) => [id, { light: stage.view!.lightOf(id), x, y, colour: stage.view!.polygons.colourOf(id) }]),
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
