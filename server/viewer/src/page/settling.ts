/** Waiting on the state of a page with a map, for browser tests: without sleeping and without guessing pixels. */
import type { DistrictMap } from "../districtMap/districtMap";

/** Milliseconds after which it is said what is still awaited, rather than waited for ever. */
const PATIENCE = 180_000;
/** Milliseconds between looks. */
const PAUSE = 60;
/** Milliseconds after which a map is taken to be out of sight, where it draws nothing. */
const UNDRAWN = 5_000;
/** Pictures in a row on which nothing happens. */
const STILL = 4;

/** The map's next picture: until it is drawn, nothing on it has moved. Where there is no map, a moment. */
async function picture(map: DistrictMap | null): Promise<void> {
  const scene = map?.scene.widget.scene;
  if (!scene) return new Promise<void>((resolve) => setTimeout(resolve, PAUSE));
  let stop: () => void = () => undefined;
  const drawn = new Promise<void>((resolve) => (stop = scene.postRender.addEventListener(() => resolve())));
  const hidden = new Promise<void>((resolve) => setTimeout(resolve, UNDRAWN));
  scene.requestRender();
  await Promise.race([drawn, hidden]);
  stop();
  // What a picture sets off comes after it.
  return new Promise<void>((resolve) => setTimeout(resolve, PAUSE));
}

/** Resolves when nothing is asked for, loaded or moved for a few pictures of the map that is in sight. */
export async function settled(map: () => DistrictMap | null, busy: () => boolean): Promise<void> {
  const begun = performance.now();
  for (let still = 0; still < STILL; ) {
    if (performance.now() - begun > PATIENCE) throw new Error(`not settled: busy ${busy()}, map ${map()?.settled}`);
    await picture(map());
    still = !busy() && (map()?.settled ?? true) ? still + 1 : 0;
  }
}
