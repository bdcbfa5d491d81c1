/** Who am I, and what may I. */
import type { Collection } from "../data/types";
import { h, icon, replace } from "../dom";
import { formatNumber, formatTime, isTextKey, languageChanged, t } from "../i18n";
import { openSecondFactor } from "../ui/ownAccount";
import { facts } from "../ui/receipt";
import type { Desk } from "./desk";
import { List, named, shownOf } from "./list";
import { comma, roleName, verbName } from "./names";
import { hiddenName } from "./policyNames";
import { inOrder } from "./roles";
import { seenTag, sensitivityTag } from "./tags";
import { CITY_VERBS, LAYER_VERBS } from "./types";

export function mePage(desk: Desk): HTMLElement {
  const card = h("section", { class: "office-section me-card" });
  const head = h("div", { class: "section-head" });
  const list = new List<Collection>({
    label: () => t("me.layers"),
    id: (layer) => layer.id,
    columns: () => [
      { title: "me.layer", order: (layer) => layer.title, cell: (layer) => named(layer.title, layer.id) },
      { title: "policy.seen", width: "36%", order: (layer) => String(layer.part != null), cell: seen },
      { title: "me.sensitivity", width: "14%", order: (layer) => layer.sensitivity ?? "", cell: (layer) => sensitivityTag(layer.sensitivity) },
      { title: "me.features", width: "13%", number: true, order: (layer) => layer.numberOfFeatures, cell: (layer) => formatNumber(layer.numberOfFeatures) },
    ],
  });
  const draw = () => {
    const { session } = desk;
    const { person } = session;
    replace(
      card,
      h("h2", {}, person?.title || person?.name || ""),
      facts([
        [t("person.name"), person?.name ?? null],
        [t("people.roles"), inOrder(person?.roles ?? []).map(roleName).join(comma()) || t("people.noRoles")],
        [t("people.towns"), (person?.towns ?? []).map((town) => desk.townName(town)).join(comma()) || t("me.noTowns")],
        [t("people.department"), person?.department ? desk.departmentName(person.department) : t("person.noDepartment")],
        [t("person.secondFactor"), t(person?.totp ? "office.on" : "office.off")],
        [t("me.expires"), session.expires ? formatTime(session.expires) : null],
      ]),
      session.second_factor === "wanted" &&
        h(
          "div",
          { class: "told-note" },
          icon("warning"),
          h(
            "span",
            {},
            t("account.secondFactorWanted"),
            h("button", { type: "button", class: "link", on: { click: () => openSecondFactor(desk.own) } }, t("account.setUp")),
          ),
        ),
      h("h3", {}, t("me.may")),
      h(
        "ul",
        { class: "may-list" },
        ...[...LAYER_VERBS, ...CITY_VERBS].map((verb) => {
          const held = desk.may(verb);
          const hint = `verb.${verb}.hint`;
          return h(
            "li",
            { class: held ? "held" : "", "data-verb": verb },
            icon(held ? "check" : "close"),
            h("span", {}, h("strong", {}, verbName(verb)), h("span", { class: "muted" }, isTextKey(hint) ? t(hint) : "")),
            h("span", { class: "muted end" }, t(held ? "me.yes" : "me.no")),
          );
        }),
      ),
    );
    replace(head, h("div", {}, h("h2", {}, t("me.layers")), h("p", { class: "muted" }, t("me.layersHint"))));
    list.show(shownOf(desk.layers, (layers) => layers, t("me.noLayers")));
  };
  for (const source of [desk.layers, desk.towns, desk.departments]) source.changed.on(draw);
  languageChanged.on(draw);
  draw();
  void desk.layers.refresh();
  return h("div", { class: "office-page me" }, card, h("section", { class: "office-section" }, head, list.element));
}

/** What of a layer somebody sees, and what is left out of it. */
function seen({ part }: Collection): HTMLElement {
  if (!part) return seenTag("whole");
  const without = [
    part.area !== null && t("part.area"),
    !part.heights && t("part.heights"),
    part.hidden.length > 0 && t("part.hidden", { names: part.hidden.map(hiddenName).join(comma()) }),
  ];
  return h(
    "span",
    { class: "two-lines" },
    h("span", {}, seenTag("part")),
    ...without.map((sentence) => sentence && h("span", { class: "muted" }, sentence)),
  );
}
