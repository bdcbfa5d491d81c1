/** "What would this role see?", under the policy in force and under the one being edited. */
import { h, icon, replace } from "../dom";
import { t } from "../i18n";
import { refusal, selectField } from "./form";
import { errorText } from "../ui/errors";
import { office } from "./api";
import type { Desk } from "./desk";
import { List, named } from "./list";
import { comma, roleName, verbName } from "./names";
import type { Editing } from "./policy";
import { inGroups, POLICY_ROLES, type PolicyDocument, type Preview, type PreviewLayer, sightOf, STRANGER } from "./policyDocument";
import { hiddenName } from "./policyNames";
import { seenTag, sensitivityTag } from "./tags";

interface Compared {
  now: PreviewLayer;
  /** Under the policy in force, where that differs. */
  before: PreviewLayer | null;
}

interface PreviewPart {
  element: HTMLElement;
  draw: () => void;
  /** Layers and towns may have changed since: the next drawing asks again. */
  forget: () => void;
}

export function previewPart(desk: Desk, editing: Editing): PreviewPart {
  const who = { role: "reporter", town: "", department: "" };
  let shown: { now: Preview; before: Preview } | null = null;
  let error: unknown = null;
  let asked = "";
  let last = 0;
  const form = h("div", { class: "preview-form" });
  const list = new List<Compared>({
    label: () => t("policy.preview"),
    id: ({ now }) => now.id,
    columns: () => [
      {
        title: "me.layer",
        order: ({ now }) => now.title,
        cell: ({ now }) => named(now.title, now.department ? desk.departmentName(now.department) : now.id),
      },
      { title: "me.sensitivity", width: "13%", order: ({ now }) => now.sensitivity, cell: ({ now }) => sensitivityTag(now.sensitivity) },
      { title: "policy.seen", width: "19%", order: ({ now }) => now.seen, cell: ({ now, before }) => seenTags(now, before) },
      { title: "policy.hiddenColumn", width: "22%", cell: ({ now }) => hiddenText(now, editing.draft?.hides ?? {}) },
      { title: "policy.may", width: "22%", cell: ({ now, before }) => mayTags(now, before) },
    ],
  });

  const ask = async () => {
    const { draft } = editing;
    const made = editing.changes;
    const wanted = JSON.stringify([who, editing.saved?.version, made]);
    if (wanted === asked || !draft) return;
    asked = wanted;
    const now = ++last;
    try {
      const before = await office.preview(who);
      const after = made.length > 0 ? await office.previewOf(who, draft) : before;
      if (now !== last) return;
      shown = { now: after, before };
      error = null;
    } catch (refused) {
      if (now !== last) return;
      error = refused;
      asked = "";
    }
    drawList();
  };

  const drawForm = () => {
    const set = (part: Partial<typeof who>) => {
      Object.assign(who, part);
      drawForm();
      void ask();
    };
    const towns = (desk.towns.value ?? []).map(({ id }) => ({ value: id, label: desk.townName(id) }));
    const departments = (desk.departments.value ?? []).map(({ id }) => ({ value: id, label: desk.departmentName(id) }));
    const focused = document.activeElement?.id;
    replace(
      form,
      selectField({
        id: "preview-role", label: t("policy.role"), value: who.role,
        options: POLICY_ROLES.map((role) => ({ value: role, label: roleName(role) })),
        set: (role) => set(role === STRANGER ? { role, town: "", department: "" } : { role }),
      }),
      who.role !== STRANGER &&
        selectField({
          id: "preview-town", label: t("policy.town"), value: who.town,
          options: [{ value: "", label: t("policy.noTown") }, ...towns], set: (town) => set({ town }),
        }),
      who.role !== STRANGER &&
        selectField({
          id: "preview-department", label: t("people.department"), value: who.department,
          options: [{ value: "", label: t("person.noDepartment") }, ...departments], set: (department) => set({ department }),
        }),
      h("p", { class: "muted", role: "status" }, t(editing.changes.length > 0 ? "policy.previewUnsaved" : "policy.previewSaved")),
    );
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  const summary = h("p", { class: "preview-summary", role: "status" });
  const drawList = () => {
    const rows = shown && compare(shown.now, shown.before);
    const city = shown?.now.may.filter((verb) => verb === "administer" || verb === "audit").map(verbName) ?? [];
    replace(
      summary,
      rows
        ? t("policy.previewCount", {
            whole: rows.filter(({ now }) => now.seen === "whole").length,
            part: rows.filter(({ now }) => now.seen === "part").length,
            no: rows.filter(({ now }) => now.seen === "no").length,
          })
        : "",
      ...city.map((verb) => h("span", { class: "tag" }, icon("key"), verb)),
      error && rows ? refusal(errorText(error)) : null,
    );
    list.show({ rows, error, retry: () => void ask(), empty: t("policy.previewEmpty") });
  };
  const draw = () => {
    drawForm();
    drawList();
    void ask();
  };
  return { element: h("div", { class: "preview" }, form, h("div", { class: "preview-answer" }, summary, list.element)), draw, forget: () => (asked = "") };
}

/** Each layer as it would be seen, with how it is seen now where that differs. */
export function compare(now: Preview, before: Preview): Compared[] {
  const known = new Map(before.layers.map((layer) => [layer.id, layer]));
  return now.layers.map((layer) => {
    const old = known.get(layer.id);
    return { now: layer, before: old && sightOf(old) !== sightOf(layer) ? old : null };
  });
}

function seenTags(now: PreviewLayer, before: PreviewLayer | null): HTMLElement {
  const other = before?.seen === now.seen ? null : before;
  return h(
    "span",
    { class: "tags" },
    other && h("del", {}, seenTag(other.seen)),
    other && h("span", { class: "muted", "aria-label": t("policy.becomes") }, "→"),
    seenTag(now.seen),
    before && !other && h("span", { class: "tag warning" }, t("policy.changedHere")),
    now.area !== null && now.seen === "part" && h("span", { class: "tag" }, t("policy.onlyArea")),
  );
}

/** The verbs for a layer, with those that come and go. */
function mayTags({ may }: PreviewLayer, before: PreviewLayer | null): HTMLElement {
  const gone = before?.may.filter((verb) => !may.includes(verb)) ?? [];
  return h(
    "span",
    { class: "tags" },
    ...gone.map((verb) => h("del", {}, h("span", { class: "tag" }, verbName(verb)))),
    ...may.map((verb) => {
      const comes = before !== null && !before.may.includes(verb);
      return h("span", { class: comes ? "tag good" : "tag" }, comes && icon("plus"), verbName(verb));
    }),
  );
}

/** What is hidden of a layer, by the names of the policy; patterns that belong to none by themselves. */
function hiddenText(layer: PreviewLayer, groups: NonNullable<PolicyDocument["hides"]>): HTMLElement {
  if (layer.seen === "no") return h("span", { class: "muted" }, "–");
  const { named, rest } = inGroups(layer.hidden, groups);
  return h(
    "span",
    { class: "tags" },
    !layer.heights && h("span", { class: "tag" }, t("policy.heights")),
    ...named.map(([name, patterns]) => h("span", { class: "tag", title: patterns.join(comma()) }, hiddenName(name))),
    ...rest.map((pattern) => h("code", {}, pattern)),
    layer.heights && layer.hidden.length === 0 && h("span", { class: "muted" }, t("policy.nothingHidden")),
  );
}
