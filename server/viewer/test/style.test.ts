import assert from "node:assert/strict";
import { test } from "node:test";
import { Cesium3DTileStyle, type Cesium3DTileFeature, Color } from "cesium";
import type { ClassCount } from "../src/data/types";
import { buildStyle, defaultView, literal, SELECTION_COLOUR, toLinear, type LayerView } from "../src/style";

const classes: ClassCount[] = [
  { class: "IfcWall", title: { en: "Wall", zh: "墙" }, count: 2, color: "#c9c2b6", visible: true },
  { class: "IfcSpace", title: { en: "Space", zh: "空间" }, count: 1, color: "#9fd3a0", visible: false },
];

/** A feature as the engine's style evaluation sees it. */
function feature(properties: Record<string, string>): Cesium3DTileFeature {
  return { getPropertyInherited: (name: string) => properties[name] } as unknown as Cesium3DTileFeature;
}

const wall = { id: "2O2Fr$t4X7Zf8NOew3FNqI", class: "IfcWall", storey: "st$1" };
const space = { id: "s", class: "IfcSpace", storey: "" };

function evaluate(view: LayerView, of: Record<string, string>, selected: string | null = null) {
  const style = new Cesium3DTileStyle(buildStyle(view, classes, selected));
  const show = (style.show as unknown as { evaluate: (f: unknown) => boolean }).evaluate(feature(of));
  const color = (style.color as unknown as { evaluateColor: (f: unknown, c: Color) => Color }).evaluateColor(
    feature(of),
    new Color(),
  );
  return { show, css: color.toCssHexString().slice(0, 7), alpha: Math.round(color.alpha * 100) / 100 };
}

const changed = (change: Partial<LayerView>): LayerView => ({ ...defaultView(classes), ...change });

test("by default everything shows in its material, but for classes that start hidden", () => {
  assert.deepEqual(evaluate(defaultView(classes), wall), { show: true, css: "#ffffff", alpha: 1 });
  assert.equal(evaluate(defaultView(classes), space).show, false);
});

test("classes, storeys and single features are hidden", () => {
  assert.equal(evaluate(changed({ hiddenClasses: new Set(["IfcWall"]) }), wall).show, false);
  assert.equal(evaluate(changed({ hiddenStoreys: new Set(["st$1"]) }), wall).show, false);
  assert.equal(evaluate(changed({ hiddenFeatures: new Set([wall.id]) }), wall).show, false);
  const outside = changed({ hiddenClasses: new Set(), hiddenStoreys: new Set([""]) });
  assert.equal(evaluate(outside, space).show, false);
  assert.equal(evaluate(outside, wall).show, true);
});

test("colour by class takes the legend's colour, spaces see-through", () => {
  const view = changed({ colourBy: "class", hiddenClasses: new Set(), opacity: 0.5 });
  assert.deepEqual(evaluate(view, wall), { show: true, css: toLinear("#c9c2b6"), alpha: 0.5 });
  assert.equal(evaluate(view, space).alpha, 0.18);
});

test("the selected feature has its own colour and is opaque in every mode", () => {
  for (const colourBy of ["class", "material"] as const) {
    const found = evaluate(changed({ colourBy, opacity: 0.2 }), wall, wall.id);
    assert.deepEqual(found, { show: true, css: toLinear(SELECTION_COLOUR), alpha: 1 });
  }
});

test("no replacing colour is the white that means the material's own", () => {
  assert.equal(toLinear("#ffffff"), "#fefefe");
  assert.equal(toLinear("#000000"), "#000000");
});

test("a colour from the server that is none does not reach the style", () => {
  const odd = [{ ...classes[0]!, color: "red'); drop" }];
  const style = buildStyle(changed({ colourBy: "class" }), odd, null);
  assert.doesNotMatch(JSON.stringify(style), /drop/);
});

test("ids with quotes, backslashes and variables are compared as they are", () => {
  for (const id of ["it's", 'say "x"', "back\\slash", "${class}", "a' + '${id}", "", "层/1", "$"]) {
    const view = changed({ hiddenFeatures: new Set([id]) });
    assert.equal(evaluate(view, { ...wall, id }).show, false, id);
    assert.equal(evaluate(view, { ...wall, id: `${id}x` }).show, true, id);
  }
});

test("a literal is one expression", () => {
  assert.equal(literal("IfcWall"), "'IfcWall'");
});
