// Asks Cesium itself, the client, for heights at the places on stdin ([[lon, lat], …]): it finds the
// finest tile for each by layer.json. Arguments: the viewer's package.json, the folder of layer.json.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2]);
const engine = await import(pathToFileURL(require.resolve("@cesium/engine")).href);
const provider = await engine.CesiumTerrainProvider.fromUrl(process.argv[3], {
  requestVertexNormals: true,
});
const errors = [];
provider.errorEvent.addEventListener((error) => errors.push(error.message));
const places = JSON.parse(readFileSync(0, "utf8")).map(([lon, lat]) =>
  engine.Cartographic.fromDegrees(lon, lat),
);
await engine.sampleTerrainMostDetailed(provider, places);
console.log(JSON.stringify({ errors, normals: provider.hasVertexNormals, heights: places.map((p) => p.height) }));
