/** Role × verb × sensitivity: whose layers. */
import { h, replace } from "../dom";
import { t } from "../i18n";
import { select } from "./form";
import { comma, roleName, sensitivityName, verbName } from "./names";
import type { Editing } from "./policy";
import { POLICY_ROLES, STRANGER, STRANGER_VERBS, WHOSE } from "./policyDocument";
import { hiddenName } from "./policyNames";
import { CITY_VERBS, LAYER_VERBS, SENSITIVITIES } from "./types";

export function rightsPart(editing: Editing): HTMLElement {
  const cell = (role: string, verb: string, sensitivity: string) => {
    const place = `roles/${role}/${verb}/${sensitivity}`;
    const value = String(editing.at(place) ?? "none");
    // Strangers have no town and no department.
    const offered = WHOSE.filter((whose) => role !== STRANGER || whose === "none" || whose === "all" || whose === value);
    const control = select(
      { id: place, value, options: offered.map((whose) => ({ value: whose, label: whoseShort(whose) })), set: (whose) => editing.set(place, whose) },
      {
        class: `whose ${value}`,
        "aria-label": [roleName(role), verbName(verb), sensitivityName(sensitivity)].join(", "),
        title: `${sensitivityName(sensitivity)}: ${t(`whose.${value as "all"}.long`)}`,
      },
    );
    return h("td", { class: `whose-cell ${sensitivity}${editing.isChanged(place) ? " changed" : ""}` }, control);
  };
  const city = (role: string) => {
    const place = `roles/${role}/city`;
    if (role === STRANGER) return h("td", { class: "city-cell muted" }, "–");
    return h(
      "td",
      { class: `city-cell${editing.isChanged(place) ? " changed" : ""}` },
      select(
        {
          id: place, value: String(editing.at(place)),
          options: [{ value: "none", label: "–" }, ...CITY_VERBS.map((verb) => ({ value: verb, label: verbName(verb) }))],
          set: (verb) => editing.set(place, verb),
        },
        { class: `whose city ${editing.at(place) === "none" ? "none" : "all"}`, "aria-label": `${roleName(role)}, ${t("policy.city")}` },
      ),
    );
  };
  const row = (role: string) => {
    const hides = Object.keys(editing.draft?.hides ?? {}).filter((name) => editing.at(`roles/${role}/hides/${name}`) === true);
    return h(
      "tr",
      {},
      h(
        "th",
        { scope: "row" },
        h("span", { class: "two-lines" },
          h("strong", {}, roleName(role)),
          hides.length > 0 && h("span", { class: "muted" }, t("policy.hides", { names: hides.map(hiddenName).join(comma()) }))),
      ),
      ...LAYER_VERBS.flatMap((verb) =>
        role === STRANGER && !STRANGER_VERBS.includes(verb)
          ? [h("td", { class: "muted none-cell", colspan: SENSITIVITIES.length }, "–")]
          : SENSITIVITIES.map((sensitivity) => cell(role, verb, sensitivity)),
      ),
      city(role),
    );
  };
  const legend = h(
    "ul",
    { class: "policy-legend" },
    ...[...WHOSE].reverse().map((whose) =>
      h("li", {}, h("span", { class: `whose-sample ${whose}` }, whoseShort(whose)), t(`whose.${whose}.long`)),
    ),
  );
  const element = h("div", { class: "rights" });
  replace(
    element,
    h("p", { class: "strangers" }, strangers(editing)),
    h(
      "div",
      { class: "list-scroll flat" },
      h(
        "table",
        { class: "data-table rights-table", "aria-label": t("policy.rights") },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col", rowspan: 2, class: "role-head" }, t("policy.role")),
            ...LAYER_VERBS.map((verb) => h("th", { scope: "colgroup", colspan: SENSITIVITIES.length, title: t(`verb.${verb}.hint`) }, verbName(verb))),
            h("th", { scope: "col", rowspan: 2, class: "city-cell" }, t("policy.city")),
          ),
          h(
            "tr",
            { class: "sub" },
            ...LAYER_VERBS.flatMap(() => SENSITIVITIES.map((one) => h("th", { scope: "col", class: one, title: sensitivityName(one) }, t(`sensitivity.${one}.short`)))),
          ),
        ),
        h("tbody", {}, ...POLICY_ROLES.map(row)),
      ),
    ),
    legend,
  );
  return element;
}

/** As short as a cell of the table is wide. */
function whoseShort(whose: (typeof WHOSE)[number]): string {
  return whose === "none" ? "–" : t(`whose.${whose}`);
}

/** What somebody who has not signed in reads, in words. */
function strangers(editing: Editing): string {
  const open = SENSITIVITIES.filter((sensitivity) => editing.at(`roles/${STRANGER}/read/${sensitivity}`) === "all");
  if (open.length === 0) return t("policy.strangersNothing");
  return t("policy.strangers", { what: open.map(sensitivityName).join(comma()) });
}
