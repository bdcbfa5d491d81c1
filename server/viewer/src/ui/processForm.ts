/** A form from the description of a process: one field for each input. */
import type { App } from "../app";
import type { ProcessInput } from "../data/processes";
import { h } from "../dom";
import { isTextKey, language, t } from "../i18n";

/** Inputs that no one types. */
const NOT_TYPED = new Set(["cursor"]);

export function processForm(app: App): HTMLElement {
  const { analysis } = app;
  const inputs = Object.entries(analysis.process?.inputs ?? {});
  const typed = inputs.filter(
    ([, { schema }]) => !NOT_TYPED.has(schema.format ?? "") && schema.format !== "geojson-geometry",
  );
  const fields = (rare: boolean) =>
    typed.filter(([, { schema }]) => (schema.rare ?? false) === rare).map(([name, input]) => field(app, name, input));
  const more = fields(true);
  return h(
    "div",
    { class: "process-form" },
    ...fields(false),
    more.length > 0 ? h("details", { class: "form-layers" }, h("summary", {}, t("analysis.options")), h("div", {}, ...more)) : null,
  );
}

export function inLanguage(text: string | undefined, chinese: string | null | undefined): string {
  return (language() === "zh" && chinese) || (text ?? "");
}

function field(app: App, name: string, input: ProcessInput): HTMLElement {
  const { analysis } = app;
  const { schema } = input;
  const id = `input-${name}`;
  const set = (value: unknown) => analysis.set(name, value);
  const value = analysis.inputs[name] ?? schema.default;
  const hint = inLanguage(input.description, input.description_zh);
  const title = inLanguage(input.title, input.title_zh) + (input.unit ? ` (${input.unit})` : "");
  const label = h("label", { for: id, title: hint }, title);
  if (schema.type === "boolean") {
    const box = h("input", { type: "checkbox", id, on: { change: () => set(box.checked) } });
    box.checked = value === true;
    return h("div", { class: "form-row" }, label, box);
  }
  if (schema.type === "array" && schema.items?.format === "layer-id") return layers(app, name, title);
  if (schema.format === "layer-id") return oneLayer(app, name, label, id, value);
  if (schema.enum) {
    const select = h(
      "select",
      { id, on: { change: () => set(select.value === "" ? undefined : select.value) } },
      ...(schema.default === undefined ? [h("option", { value: "" }, "")] : []),
      ...schema.enum.map((option) => h("option", { value: option }, optionName(option))),
    );
    select.value = String(value ?? "");
    return h("div", { class: "form-row" }, label, select);
  }
  const numeric = schema.type === "number" || schema.type === "integer";
  const box = h("input", {
    type: numeric ? "number" : "text",
    id,
    title: hint,
    placeholder: numeric && input.minOccurs === 0 && schema.default === undefined ? t("analysis.optional") : null,
    min: schema.minimum,
    max: schema.maximum,
    step: schema.type === "integer" ? 1 : "any",
    on: {
      change: () => {
        if (box.value === "") set(undefined);
        else if (!numeric) set(schema.type === "array" ? box.value.split(",") : box.value);
        else if (box.checkValidity()) set(Number(box.value));
      },
    },
  });
  box.value = value === undefined || value === null ? "" : String(value);
  return h("div", { class: "form-row" }, label, box);
}

function optionName(option: string): string {
  const key = `analysis.option.${option}`;
  return isTextKey(key) ? t(key) : option;
}

/** One layer of the city; what is planned is offered first where something planned is asked for. */
function oneLayer(app: App, name: string, label: HTMLElement, id: string, value: unknown): HTMLElement {
  const { analysis } = app;
  const planned = name === "planned";
  const fits = [...app.layers.all.values()].filter(({ collection }) => !planned || (collection.lifecycle === "planned" && collection.kind === "model"));
  const select = h(
    "select",
    { id, on: { change: () => analysis.set(name, select.value === "" ? undefined : select.value) } },
    h("option", { value: "" }, t("analysis.noLayer")),
    ...fits.map(({ collection }) => h("option", { value: collection.id }, collection.title)),
  );
  select.value = value === undefined || value === null ? "" : String(value);
  return h("div", { class: "form-row" }, label, select);
}

/** The layers that are asked; all where none is chosen. */
function layers(app: App, name: string, title: string): HTMLElement {
  const { analysis } = app;
  const chosen = new Set((analysis.inputs[name] as string[] | undefined) ?? []);
  const rows = [...app.layers.all.values()].map(({ collection }) => {
    const box = h("input", {
      type: "checkbox",
      on: {
        change: () => {
          if (box.checked) chosen.add(collection.id);
          else chosen.delete(collection.id);
          analysis.set(name, chosen.size === 0 ? undefined : [...chosen]);
        },
      },
    });
    box.checked = chosen.has(collection.id);
    return h("label", { class: "tick" }, box, h("span", {}, collection.title));
  });
  const note = chosen.size === 0 ? t("analysis.allLayers") : t("analysis.someLayers", { n: chosen.size });
  return h(
    "details",
    { class: "form-layers" },
    h("summary", {}, h("span", {}, title), h("span", { class: "muted" }, note)),
    h("div", {}, ...rows),
  );
}
