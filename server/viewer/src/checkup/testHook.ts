/**
 * `window.checkup`: what browser tests need to wait on the state of the page and to compare it with
 * what the server tells, without sleeping and without guessing pixels.
 */
import { settled } from "../page/settling";
import type { Frame } from "./frame";
import type { Store } from "./store";

export function testHook(store: Store, { stage, signs }: Frame) {
  const map = () => (stage.element.hidden ? null : stage.view);
  return {
    store,
    signs,
    painting: stage.painting,
    /** The map, null where there is none. */
    map: () => stage.view,
    /** Resolves when nothing is asked for, loaded or moved for a few frames. */
    settled: () => settled(map, () => store.busy || signs.busy),
    /** Colours of a layer's features, by id, as the engine has them. */
    buildingColours: (layer: string) => stage.view!.buildings.coloursOf(stage.view!.layers.get(layer)!),
    /** Signs on the map, by the unit they stand on. */
    signsOnMap: () => Object.fromEntries((stage.view?.marks.placed ?? []).map(({ id, x, y, tone, sign }) => [id, { x, y, tone, sign, colour: stage.view!.colourOf(id) }])),
    canvas: () => stage.view?.scene.widget.canvas.getBoundingClientRect().toJSON() as DOMRect,
  };
}

export type CheckupHook = ReturnType<typeof testHook>;

declare global {
  interface Window {
    checkup?: CheckupHook;
  }
}
