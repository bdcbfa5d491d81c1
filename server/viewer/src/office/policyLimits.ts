/** The numbers of the policy. */
import { h } from "../dom";
import { isTextKey, t } from "../i18n";
import { ticks } from "./form";
import { roleName } from "./names";
import type { Editing } from "./policy";
import { limitName } from "./policyNames";
import { ROLES } from "./types";

/** What the server accepts; it has the last word. */
const RANGES: Record<string, { min: number; max?: number; step: number | "any" }> = {
  export_km2: { min: 0, step: "any" },
  large_scale_from: { min: 1, max: 8, step: 1 },
  audit_days: { min: 183, step: 1 },
  session_hours: { min: 0, max: 720, step: "any" },
  idle_minutes: { min: 1, step: "any" },
  failures: { min: 1, max: 100, step: 1 },
  lock_minutes: { min: 0, step: "any" },
  password_length: { min: 8, max: 128, step: 1 },
  capability_minutes: { min: 1, max: 60, step: "any" },
};

export function limitsPart(editing: Editing): HTMLElement {
  const limits = Object.entries(editing.draft?.limits ?? {});
  return h(
    "div",
    { class: "limits" },
    ...limits.map(([name, value]) => (typeof value === "number" ? numberRow(editing, name) : null)),
    "second_factor" in (editing.draft?.limits ?? {}) &&
      h(
        "div",
        { class: `limit-row${editing.isChanged("limits/second_factor") ? " changed" : ""}` },
        ticks({
          id: "limits-second-factor", legend: limitName("second_factor"), hint: t("limit.second_factor.hint"),
          chosen: (editing.at("limits/second_factor") as readonly string[] | undefined) ?? [],
          options: ROLES.map((role) => ({ value: role, label: roleName(role) })),
          set: (chosen) => editing.set("limits/second_factor", ROLES.filter((role) => chosen.includes(role))),
        }),
      ),
  );
}

function numberRow(editing: Editing, name: string): HTMLElement {
  const place = `limits/${name}`;
  const hint = `limit.${name}.hint`;
  const unit = `limit.${name}.unit`;
  const input = h("input", {
    type: "number",
    id: place,
    required: true,
    ...RANGES[name],
    "aria-describedby": `${place}-hint`,
    on: {
      change: () => {
        if (input.reportValidity()) editing.set(place, Number(input.value));
      },
    },
  });
  input.value = String(editing.at(place));
  return h(
    "div",
    { class: `limit-row${editing.isChanged(place) ? " changed" : ""}` },
    h("label", { for: place }, limitName(name)),
    h("span", { class: "limit-value" }, input, h("span", { class: "muted" }, isTextKey(unit) ? t(unit) : "")),
    h("p", { class: "muted", id: `${place}-hint` }, isTextKey(hint) ? t(hint) : ""),
  );
}
