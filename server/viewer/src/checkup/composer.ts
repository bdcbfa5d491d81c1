/** The composer (自助建模): an operator, what it is made of, a target; tried on the city as it is now, and kept in a draft. */
import { type Child, h, icon, iconButton, replace } from "../dom";
import { language, languageChanged, localized, t } from "../i18n";
import type { TextKey } from "../texts";
import { errorText } from "../ui/errors";
import { checkup } from "./api";
import { type Condition, COMPARISONS, documentOf, type Draft, draftOf, EMPTY, type InputDraft, MEASURES, OPERATORS, REACHES, type SiteDraft, type Slot } from "./composing";
import { openKeep } from "./keepDialog";
import type { Store } from "./store";
import { BY, LEVELS, type Role } from "./types";
import { wordOf } from "./words";

type Option = readonly [string, string];

function choice(label: string, options: readonly Option[], value: string, change: (value: string) => void, id?: string): HTMLSelectElement {
  const select = h("select", { "aria-label": label, ...(id ? { id } : {}), on: { change: () => change(select.value) } }, ...options.map(([name, title]) => h("option", { value: name }, title)));
  select.value = value;
  return select;
}

function typed(label: string, type: "text" | "number", value: string, change: (value: string) => void, placeholder = ""): HTMLInputElement {
  const control = h("input", { type, "aria-label": label, value, placeholder, step: "any", autocomplete: "off", on: { input: () => change(control.value) } });
  return control;
}

const line = (label: string, ...controls: Child[]) => h("div", { class: "compose-line" }, h("span", { class: "compose-label" }, label), h("div", { class: "compose-controls" }, ...controls));

export function composer(store: Store): HTMLElement {
  let draft: Draft = structuredClone(EMPTY);
  let roles: Role[] = [];
  let refused: unknown = null;
  let trying = false;
  const form = h("form", { on: { submit: (event: SubmitEvent) => (event.preventDefault(), void tryOut()) } });
  const element = h("aside", { class: "composer" }, form);

  const slotName = (name: string) => t(`checkup.slot.${name}` as TextKey);
  const roleOptions = (optional: boolean): Option[] => [
    ["", optional ? t("checkup.compose.noneOf") : t("checkup.compose.chooseLayer")],
    ...roles.map(({ role, title, layer, present }) => [role, `${localized(title)}${present ? "" : ` (${t("checkup.compose.noLayer", { layer })})`}`] as const),
  ];
  const columnsOf = (role: string): Option[] => (roles.find((one) => one.role === role)?.columns ?? []).map(({ name, unit }) => [name, unit ? `${name} (${unit})` : name]);

  const conditionRow = (input: InputDraft, condition: Condition, i: number) =>
    h(
      "div",
      { class: "compose-condition" },
      choice(t("checkup.compose.column"), [["", t("checkup.compose.column")], ...columnsOf(input.role), ["shape_area", "shape_area (m²)"], ["shape_length", "shape_length (m)"]], condition.column, (value) => (condition.column = value)),
      choice(t("checkup.compose.comparison"), COMPARISONS.map((one) => [one, one] as const), condition.comparison, (value) => (condition.comparison = value as Condition["comparison"])),
      typed(t("checkup.compose.value"), "text", condition.value, (value) => (condition.value = value)),
      iconButton("close", t("checkup.compose.remove"), () => (input.conditions.splice(i, 1), draw()), { class: "small" }),
    );
  const inputRows = (input: InputDraft, optional: boolean, label: string): Child[] => [
    h(
      "div",
      { class: "compose-role" },
      choice(label, roleOptions(optional), input.role, (value) => ((input.role = value), (input.conditions = []), draw())),
      input.role !== "" && iconButton("filter", t("checkup.compose.filter"), () => (input.conditions.push({ column: "", comparison: "=", value: "" }), draw()), { class: "small" }),
    ),
    ...input.conditions.map((condition, i) => conditionRow(input, condition, i)),
  ];
  const siteRows = (site: SiteDraft, i: number) =>
    h(
      "div",
      { class: "compose-site" },
      ...inputRows(site, false, slotName("sites")),
      h(
        "div",
        { class: "compose-condition" },
        choice(t("checkup.compose.reach"), REACHES.map((one) => [one, t(`checkup.reach.${one === "" ? "inside" : one}`)] as const), site.reach, (value) => ((site.reach = value as SiteDraft["reach"]), draw())),
        site.reach !== "" && typed(t("checkup.compose.reach"), "number", site.amount, (value) => (site.amount = value)),
        draft.sites.length > 1 && iconButton("close", t("checkup.compose.remove"), () => (draft.sites.splice(i, 1), draw()), { class: "small" }),
      ),
    );
  const slotLine = ({ name, title, kind, of, optional, value }: Slot): HTMLElement => {
    const label = slotName(title ?? name);
    const told = draft.options[name] ?? value ?? "";
    const set = (next: string) => (draft.options[name] = next);
    const columns = columnsOf(draft.inputs[of ?? ""]?.role ?? "");
    switch (kind) {
      case "input":
        return line(label, ...inputRows((draft.inputs[name] ??= { role: "", conditions: [] }), optional ?? false, label));
      case "sites":
        if (draft.sites.length === 0) draft.sites.push({ role: "", conditions: [], reach: "radius", amount: "500" });
        return line(label, ...draft.sites.map(siteRows), h("button", { type: "button", class: "link", on: { click: () => (draft.sites.push({ role: "", conditions: [], reach: "radius", amount: "500" }), draw()) } }, icon("plus"), t("checkup.compose.addSite")));
      case "measure":
        return line(label, choice(label, [...MEASURES.map((one) => [one, t(`checkup.measure.${one}`)] as const), ...columns.map(([id, title]) => [id, t("checkup.measure.column", { name: title })] as const)], told || "count", set));
      case "column":
        return line(label, choice(label, [["", optional ? t("checkup.compose.noneOf") : t("checkup.compose.column")], ...columns], told, set));
      case "on":
        return line(label, choice(label, (["plane", "walk", "drive"] as const).map((one) => [one, t(`checkup.on.${one}`)] as const), told || "plane", set));
      case "number":
        return line(label, typed(label, "number", told, set));
      case "flag": {
        const box = h("input", { type: "checkbox", "aria-label": label, on: { change: () => set(String(box.checked)) } });
        box.checked = told === "true";
        return line(label, box);
      }
    }
  };

  const tryOut = async () => {
    trying = true;
    refused = null;
    draw();
    try {
      await store.tryOut(documentOf(draft), draft.by);
    } catch (error) {
      refused = error;
    } finally {
      trying = false;
      draw();
    }
  };
  const begin = async (code: string) => {
    const set = store.summary?.set;
    if (code === "" || set === undefined) draft = structuredClone(EMPTY);
    else {
      // What would be typed meanwhile would be lost.
      form.inert = true;
      try {
        const found = (await checkup.set(set)).whole.find((one) => one.code === code);
        if (found) draft = { ...draftOf(found), code };
      } catch (error) {
        store.failed.emit(error);
      } finally {
        form.inert = false;
      }
    }
    draw();
  };

  const draw = () => {
    const lang = language();
    const dimensions = Object.entries(store.run?.dimensions ?? {}).map(([id, name]) => [id, localized(name)] as const);
    if (draft.dimension === "") draft.dimension = dimensions[0]?.[0] ?? "";
    const both = (name: "name" | "department" | "explanation" | "unit", value: string) => {
      // The other language is written only where it says nothing of its own yet.
      const other = lang === "zh" ? "en" : "zh";
      if (draft[name][other] === "" || draft[name][other] === draft[name][lang]) draft[name] = { en: value, zh: value };
      else draft[name] = { ...draft[name], [lang]: value };
    };
    const words = (name: "name" | "department" | "explanation" | "unit", label: string) => typed(label, "text", draft[name][lang], (value) => both(name, value));
    const known = store.run?.indicators ?? [];
    replace(
      form,
      h("header", {}, h("h2", {}, t("checkup.view.compose")), h("p", { class: "muted" }, t("checkup.compose.hint"))),
      h(
        "div",
        { class: "compose-fields" },
        line(t("checkup.compose.from"), choice(t("checkup.compose.from"), [["", t("checkup.compose.empty")], ...known.map(({ code, name }) => [code, `${code} ${localized(name)}`] as const)], known.some(({ code }) => code === draft.code) ? draft.code : "", (value) => void begin(value))),
        line(t("checkup.compose.operator"), choice(t("checkup.compose.operator"), Object.keys(OPERATORS).map((one) => [one, t(`checkup.operator.${one}` as TextKey)] as const), draft.operator, (value) => ((draft.operator = value), draw()))),
        h("p", { class: "muted compose-about" }, t(`checkup.operator.${draft.operator}.about` as TextKey)),
        ...(OPERATORS[draft.operator] ?? []).map(slotLine),
        h("h3", {}, t("checkup.compose.indicator")),
        line(t("checkup.table.code"), typed(t("checkup.table.code"), "text", draft.code, (value) => (draft.code = value)), choice(t("checkup.level"), LEVELS.map((one) => [one, wordOf(store.overview, "levels", one)] as const), draft.level, (value) => (draft.level = value as Draft["level"]))),
        line(t("checkup.table.name"), words("name", t("checkup.table.name"))),
        line(t("checkup.dimension"), choice(t("checkup.dimension"), dimensions, draft.dimension, (value) => (draft.dimension = value))),
        line(t("checkup.compose.unit"), words("unit", t("checkup.compose.unit")), typed(t("checkup.compose.decimals"), "number", String(draft.decimals), (value) => (draft.decimals = Math.max(0, Math.min(6, Number(value) || 0))))),
        line(
          t("checkup.table.target"),
          choice(t("checkup.compose.direction"), (["higher", "lower", "none"] as const).map((one) => [one, wordOf(store.overview, "directions", one)] as const), draft.direction, (value) => (draft.direction = value as Draft["direction"])),
          typed(t("checkup.table.target"), "number", draft.target, (value) => (draft.target = value), t("checkup.noTarget")),
        ),
        line(t("checkup.fact.department"), words("department", t("checkup.fact.department"))),
        line(t("checkup.by"), choice(t("checkup.by"), ["district" as const, ...BY].map((one) => [one, wordOf(store.overview, "units", one)] as const), draft.by, (value) => (draft.by = value as Draft["by"]))),
      ),
      h(
        "footer",
        {},
        refused === null ? null : h("p", { class: "refusal", role: "alert" }, icon("warning"), h("span", {}, errorText(refused))),
        h("button", { type: "submit", class: "button primary", disabled: trying }, icon("play"), t(trying ? "checkup.compose.trying" : "checkup.compose.try")),
        h("button", { type: "button", class: "button", on: { click: () => openKeep(store, documentOf(draft)) } }, icon("download"), t("checkup.compose.keep")),
      ),
    );
  };
  const look = () => {
    element.hidden = store.view !== "compose";
    if (element.hidden) return;
    draw();
    if (roles.length > 0) return;
    checkup.roles().then(
      (found) => ((roles = found), draw()),
      (error: unknown) => store.failed.emit(error),
    );
  };
  store.viewChanged.on(look);
  store.loaded.on(look);
  languageChanged.on(look);
  look();
  return element;
}
