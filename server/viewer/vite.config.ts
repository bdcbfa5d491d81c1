import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const CESIUM_BUILD = resolve(import.meta.dirname, "node_modules/cesium/Build/Cesium");
const SWAGGER = resolve(import.meta.dirname, "node_modules/swagger-ui-dist");
const CESIUM_URL = "/viewer/cesium";

/** Engine parts that nothing in the viewer can ask for: star maps, world imagery, widget skins. */
const NOT_SHIPPED = [/Assets\/Textures\/(SkyBox|NaturalEarthII|LensFlare|maki)/, /ThirdParty\/google-earth/];

/**
 * Keeps the engine out of the bundle: bundling it takes a minute, copying its own
 * minified module takes none. The page finds it through an import map.
 */
function prebuiltCesium(): Plugin {
  let outDir = "dist";
  return {
    name: "prebuilt-cesium",
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    transformIndexHtml: {
      order: "post",
      // The office draws nothing in three dimensions.
      handler: (_, { filename }) => filename.endsWith("office.html") ? [] : [
        {
          tag: "script",
          attrs: { type: "importmap" },
          children: JSON.stringify({ imports: { cesium: `${CESIUM_URL}/index.js` } }),
          injectTo: "head-prepend",
        },
        {
          tag: "link",
          attrs: { rel: "modulepreload", href: `${CESIUM_URL}/index.js` },
          injectTo: "head",
        },
      ],
    },
    closeBundle() {
      for (const part of ["index.js", "Workers", "Assets", "ThirdParty"]) {
        cpSync(resolve(CESIUM_BUILD, part), resolve(outDir, "cesium", part), {
          recursive: true,
          filter: (source) => !NOT_SHIPPED.some((pattern) => pattern.test(source)),
        });
      }
      const engine = resolve(outDir, "cesium", "index.js");
      withoutEval(engine);
      withShortTable(engine);
      // The interactive description of the API, which must open on networks without internet.
      for (const part of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
        cpSync(resolve(SWAGGER, part), resolve(outDir, "swagger", part));
      }
    },
  };
}

/** The engine evaluates text in one place, to find what is global; the server's pages may not evaluate any. */
function withoutEval(file: string): void {
  replaceOnce(file, '(0,eval)("this")', "globalThis");
}

/**
 * How surfaces shine is a table that the engine sums up from 1024 samples for each of its 65,536 places
 * when a page opens: two to four seconds where the processor draws. With 64 the colours of elements, which
 * are rough, differ by at most one step of 255, and those of smooth things at their rims by five.
 */
function withShortTable(file: string): void {
  replaceOnce(file, "const int NumSamples = 1024;", "const int NumSamples = 64;");
}

function replaceOnce(file: string, text: string, by: string): void {
  const parts = readFileSync(file, "utf8").split(text);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${text}; look at each`);
  writeFileSync(file, parts.join(by));
}

export default defineConfig({
  base: "/viewer/",
  define: { CESIUM_URL: JSON.stringify(`${CESIUM_URL}/`) },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: ["index.html", "office.html", "renewal.html", "checkup.html"].map((page) => resolve(import.meta.dirname, page)),
      external: ["cesium"],
    },
  },
  plugins: [prebuiltCesium()],
});
