/** Keys of programs: one's own, and for administrators those of everybody. */
import { h, icon, replace } from "../dom";
import { formatTime, languageChanged, t } from "../i18n";
import { choice } from "../ui/controls";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { office } from "./api";
import type { Desk } from "./desk";
import { textField, ticks } from "./form";
import { type Column, List, shownOf } from "./list";
import { verbName } from "./names";
import { openForm } from "./placeDialogs";
import { Source } from "./source";
import { verbTags } from "./tags";
import { confirm, tell } from "./told";
import { CITY_VERBS, LAYER_VERBS, type Key } from "./types";

const DAYS = 90;

type KeyState = "valid" | "revoked" | "expired";

export function stateOf(key: Key, now: number): KeyState {
  if (key.revoked) return "revoked";
  return key.expires !== null && Date.parse(key.expires) <= now ? "expired" : "valid";
}

export function keysPage(desk: Desk): HTMLElement {
  let all = false;
  const keys = new Source<Key[]>(() => office.keys(all));
  const bar = h("div", { class: "office-bar" });
  const person = (key: Key) => desk.personName(key.person);
  const whose: Column<Key> = { title: "keys.person", width: "13%", order: person, cell: person };
  const list = new List<Key>({
    label: () => t("tab.keys"),
    id: (key) => key.id,
    columns: () => [
      { title: "keys.title", order: (key) => key.title, cell: (key) => h("strong", {}, key.title) },
      ...(all ? [whose] : []),
      { title: "keys.scopes", width: "22%", cell: (key) => verbTags(key.scopes) },
      {
        title: "keys.expires",
        width: "15%",
        order: (key) => key.expires ?? "9",
        cell: (key) => (key.expires ? formatTime(key.expires) : t("keys.never")),
      },
      {
        title: "keys.lastUsed",
        width: "15%",
        order: (key) => key.last_used ?? "",
        cell: (key) => (key.last_used ? formatTime(key.last_used) : h("span", { class: "muted" }, t("keys.unused"))),
      },
      {
        title: "people.state",
        width: "16%",
        order: (key) => stateOf(key, Date.now()),
        cell: (key) => {
          const state = stateOf(key, Date.now());
          if (state !== "valid") return h("span", { class: "tag" }, icon("close"), t(`keys.${state}`));
          return h(
            "span",
            { class: "row-actions" },
            h("span", { class: "tag good" }, icon("check"), t("keys.valid")),
            h("button", { type: "button", class: "link danger", "data-key": `revoke ${key.id}`, on: { click: () => revoke(key) } }, t("keys.revoke")),
          );
        },
      },
    ],
  });

  const revoke = (key: Key) =>
    confirm(t("keys.revoke"), t("keys.revokeAsked", { name: key.title }), t("keys.revoke"), async () => {
      try {
        await office.revokeKey(key.id);
        toast(t("keys.revokedNow", { name: key.title }));
      } catch (error) {
        toast(errorText(error), "error");
      }
      await keys.refresh();
    });

  const add = () => {
    const draft = { title: "", scopes: ["read"], days: DAYS };
    const mine = [...LAYER_VERBS, ...CITY_VERBS].filter((verb) => desk.may(verb));
    openForm({
      title: t("keys.add"),
      action: t("keys.make"),
      fields: () => [
        textField({ id: "key-title", label: t("keys.title"), hint: t("keys.titleHint"), value: "", required: true, set: (title) => (draft.title = title) }),
        ticks({
          id: "key-scopes", legend: t("keys.scopes"), hint: t("keys.scopesHint"), chosen: draft.scopes,
          options: mine.map((verb) => ({ value: verb, label: verbName(verb), hint: t(`verb.${verb}.hint`) })),
          set: (scopes) => (draft.scopes = scopes),
        }),
        textField({
          id: "key-days", label: t("keys.days"), hint: t("keys.daysHint"), value: String(DAYS), type: "number", min: 1, step: 1, required: true,
          set: (days) => (draft.days = Number(days)),
        }),
      ],
      save: async () => {
        const { key, ...made } = await office.addKey(draft.title.trim(), draft.scopes, draft.days);
        tell({ title: t("keys.key"), explained: t("keys.keyOf", { name: made.title }), label: t("keys.key"), text: key, note: t("person.toldOnce") });
        await keys.refresh();
      },
    });
  };

  const drawBar = () => {
    const whose = choice("", [["own", t("keys.own")], ["all", t("keys.all")]] as const, () => (all ? "all" : "own"), (value) => {
      all = value === "all";
      keys.value = null;
      draw();
      void keys.refresh();
    });
    whose.element.setAttribute("aria-label", t("keys.whose"));
    replace(
      bar,
      desk.may("administer") && whose.element,
      h("p", { class: "muted" }, t("keys.hint")),
      h("button", { type: "button", class: "button primary end", on: { click: add } }, icon("plus"), t("keys.add")),
    );
  };
  const draw = () => {
    drawBar();
    list.show(shownOf(keys, (found) => found, t(all ? "keys.noneAtAll" : "keys.none")));
  };
  keys.changed.on(draw);
  desk.people.changed.on(draw);
  languageChanged.on(draw);
  draw();
  void keys.refresh();
  return h("div", { class: "office-page" }, bar, list.element);
}
