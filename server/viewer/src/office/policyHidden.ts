/** Which attributes of sensitive layers are hidden from which roles. */
import { h, icon } from "../dom";
import { t } from "../i18n";
import { labelled, ticks } from "./form";
import { roleName } from "./names";
import type { Editing } from "./policy";
import { POLICY_ROLES } from "./policyDocument";
import { hiddenName } from "./policyNames";

export function hiddenPart(editing: Editing): HTMLElement {
  const names = Object.keys(editing.draft?.hides ?? {});
  return h(
    "div",
    {},
    h("p", { class: "muted" }, t("policy.hiddenHint")),
    names.length === 0 && h("p", { class: "empty-note" }, t("policy.noHidden")),
    h("div", { class: "policy-cards" }, ...names.map((name) => card(editing, name))),
  );
}

function card(editing: Editing, name: string): HTMLElement {
  const attributes = `hides/${name}/attributes`;
  const heights = `hides/${name}/heights`;
  const roles = POLICY_ROLES.filter((role) => editing.at(`roles/${role}/hides/${name}`) === true);
  const lines = h("textarea", {
    id: attributes,
    rows: 6,
    spellcheck: "false",
    "aria-describedby": `${attributes}-hint`,
    on: { change: () => editing.set(attributes, patterns(lines.value)) },
  });
  lines.value = ((editing.at(attributes) as readonly string[] | undefined) ?? []).join("\n");
  const changed = [attributes, heights, ...POLICY_ROLES.map((role) => `roles/${role}/hides/${name}`)].some((place) => editing.isChanged(place));
  return h(
    "section",
    { class: `policy-card${changed ? " changed" : ""}` },
    h("h2", {}, hiddenName(name), changed && h("span", { class: "tag warning" }, icon("warning"), t("policy.changedHere"))),
    labelled({ id: attributes, label: t("policy.attributes"), hint: t("policy.patternsHint") }, lines),
    ticks({
      id: heights, legend: t("policy.heights"), chosen: editing.at(heights) === true ? ["heights"] : [],
      options: [{ value: "heights", label: t("policy.hideHeights"), hint: t("policy.heightsHint") }],
      set: (chosen) => editing.set(heights, chosen.length > 0),
    }),
    ticks({
      id: `roles-${name}`, legend: t("policy.hiddenFrom"), chosen: roles,
      options: POLICY_ROLES.map((role) => ({ value: role, label: roleName(role) })),
      set: (chosen) => {
        for (const role of POLICY_ROLES) {
          const place = `roles/${role}/hides/${name}`;
          const wanted = chosen.includes(role);
          if ((editing.at(place) === true) !== wanted) editing.set(place, wanted);
        }
      },
    }),
  );
}

/** One pattern a line; empty lines and repetitions are dropped. */
export function patterns(text: string): string[] {
  return [...new Set(text.split("\n").map((line) => line.trim()).filter((line) => line !== ""))];
}
