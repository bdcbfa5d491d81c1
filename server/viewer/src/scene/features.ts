/** Finds features in the tiles that are loaded now. */
import type { Cesium3DTile, Cesium3DTileContent, Cesium3DTileFeature, Cesium3DTileset } from "cesium";

/** The metadata a feature carries inside its tile. */
export interface TileFeature {
  id: string;
  class: string;
  name: string;
  storey: string;
  type: string;
  layer: string;
}

function* contents(tile: Cesium3DTile): Generator<Cesium3DTileContent> {
  const content = tile.content as Cesium3DTileContent | undefined;
  if (content?.ready) yield content;
  for (const child of tile.children) yield* contents(child);
}

/** Every feature of a tile's content, which may consist of several. */
export function* contentFeatures(content: Cesium3DTileContent): Generator<Cesium3DTileFeature> {
  for (const part of (content.innerContents as Cesium3DTileContent[] | undefined) ?? [content]) {
    for (let i = 0; i < part.featuresLength; i++) yield part.getFeature(i);
  }
}

/** Every feature in a loaded tile; one that lies in several tiles comes several times. */
export function* loadedFeatures(tileset: Cesium3DTileset): Generator<Cesium3DTileFeature> {
  if (!(tileset.root as Cesium3DTile | undefined)) return;
  for (const content of contents(tileset.root)) yield* contentFeatures(content);
}

function text(feature: Cesium3DTileFeature, property: string): string {
  const value = feature.getProperty(property) as unknown;
  return value === undefined || value === null ? "" : String(value);
}

export function metadata(feature: Cesium3DTileFeature): TileFeature {
  return {
    id: text(feature, "id"),
    class: text(feature, "class"),
    name: text(feature, "name"),
    storey: text(feature, "storey"),
    type: text(feature, "type"),
    layer: text(feature, "layer"),
  };
}

export function findFeatures(tileset: Cesium3DTileset, id: string): Cesium3DTileFeature[] {
  const found: Cesium3DTileFeature[] = [];
  for (const feature of loadedFeatures(tileset)) {
    if (text(feature, "id") === id) found.push(feature);
  }
  return found;
}
