import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeLink, encodeLink, type Link } from "../src/permalink";

const full: Link = {
  camera: { lon: 113.46000123, lat: 23.1, height: 120.5, heading: 30, pitch: -35.25, roll: 0 },
  layers: [
    {
      id: "office",
      visible: true,
      opacity: 0.45,
      colourBy: "class",
      hiddenClasses: ["IfcSpace", "IfcWall"],
      hiddenStoreys: ["", "2O2Fr$t4X7Zf8NOew3FNqI"],
      hiddenFeatures: ["a,b;c&d=e/f#g %", "管线"],
    },
    {
      id: "a layer; with = all & of , them / 层",
      visible: false,
      opacity: 1,
      colourBy: "material",
      hiddenClasses: [],
    },
  ],
  comparison: { layer: "a/b; 层", from: 3, to: 12, off: ["unchanged", "moved"], swipe: 0.4375 },
  selection: { layer: "a/b", id: "2O2Fr$t4X7Zf8NOew3FNqI", version: 3 },
  chart: "3,17;1764000000000..1764003600000",
  lang: "zh",
};

test("a link with everything in it comes back as it was", () => {
  const back = decodeLink(`#${encodeLink(full)}`);
  assert.deepEqual(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(full)));
});

test("encoding what was decoded gives the same text", () => {
  const text = encodeLink(full);
  assert.equal(encodeLink(decodeLink(text)), text);
});

test("a GlobalId stays readable", () => {
  assert.match(encodeLink(full), /sel=a%2Fb\/2O2Fr\$t4X7Zf8NOew3FNqI/);
});

test("hidden classes that are the default are left out, none hidden is said", () => {
  const layer = { id: "x", visible: true, opacity: 1, colourBy: "material" } as const;
  assert.equal(encodeLink({ layers: [layer] }), "l=x");
  assert.equal(encodeLink({ layers: [{ ...layer, hiddenClasses: [] }] }), "l=x;hc=");
  assert.deepEqual(decodeLink("l=x;hc=").layers[0]?.hiddenClasses, []);
  assert.equal(decodeLink("l=x").layers[0]?.hiddenClasses, undefined);
});

test("an empty fragment is an empty link", () => {
  assert.deepEqual(decodeLink(""), { layers: [] });
  assert.deepEqual(decodeLink("#"), { layers: [] });
});

test("what is broken is left out and the rest is read", () => {
  const link = decodeLink("#c=1,2,x,0,0,0&l=&l=office;o=zwei;m=rainbow;v=0&sel=office&lang=fr&junk&l=%E7%AE");
  assert.equal(link.camera, undefined);
  assert.equal(link.selection, undefined);
  assert.equal(link.lang, undefined);
  assert.deepEqual(
    link.layers.map((layer) => [layer.id, layer.visible, layer.opacity, layer.colourBy]),
    [
      ["office", false, 1, "material"],
      ["%E7%AE", true, 1, "material"],
    ],
  );
});

test("a camera outside the world is not taken", () => {
  assert.equal(decodeLink("c=200,0,10,0,0,0").camera, undefined);
  assert.equal(decodeLink("c=0,91,10,0,0,0").camera, undefined);
});

test("opacity stays between nothing and everything", () => {
  assert.equal(decodeLink("l=x;o=7").layers[0]?.opacity, 1);
  assert.equal(decodeLink("l=x;o=-1").layers[0]?.opacity, 0);
});
