/** Tilesets of the city: how they are loaded and lit, all alike. */
import {
  Cartesian3,
  Cesium3DTileColorBlendMode,
  Cesium3DTileset,
  type Resource,
  type Scene,
  ShadowMode,
} from "cesium";
import { withoutPrefix } from "../prefix";

/**
 * Ambient light as spherical harmonics: brighter from above, a little from the east,
 * so that walls the sun does not reach still differ by orientation.
 */
const AMBIENT = [
  new Cartesian3(0.62, 0.63, 0.65),
  new Cartesian3(0.06, 0.06, 0.06),
  new Cartesian3(0.2, 0.2, 0.21),
  new Cartesian3(0.09, 0.09, 0.09),
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
  Cartesian3.ZERO,
] as Cartesian3[];

/** Pixels by which what is drawn may be wrong; far tiles leave out what cannot be seen from outside. */
export const USUAL_ERROR = 4;
/** Finer, where one looks into a translucent building. */
export const SEE_THROUGH_ERROR = 2;

/** A hidden tileset, not in the scene yet. */
export async function loadTileset(file: Resource, error = USUAL_ERROR): Promise<Cesium3DTileset> {
  const tileset = await Cesium3DTileset.fromUrl(file, {
    maximumScreenSpaceError: error,
    cacheBytes: 384 * 1024 * 1024,
    maximumCacheOverflowBytes: 256 * 1024 * 1024,
    shadows: ShadowMode.DISABLED,
    show: false,
    preloadWhenHidden: true,
  });
  // The engine would tell the console the address with what opens it.
  tileset.tileFailed.addEventListener(({ url, message }: { url: string; message: string }) =>
    console.log(`a tile could not be loaded: ${withoutPrefix(`${url} ${message}`)}`),
  );
  tileset.colorBlendMode = Cesium3DTileColorBlendMode.REPLACE;
  tileset.environmentMapManager.enabled = false;
  tileset.imageBasedLighting.sphericalHarmonicCoefficients = AMBIENT;
  return tileset;
}

/** Takes a tileset out of the scene and frees it. */
export function removeTileset(scene: Scene, tileset: Cesium3DTileset): void {
  scene.primitives.remove(tileset);
  scene.requestRender();
}
