/** Small signs for states; never by colour alone. */
import { h, icon } from "../dom";
import { t } from "../i18n";
import { sensitivityName, verbName } from "./names";
import type { Person } from "./types";

/** Whether somebody can sign in, and how safely. */
export function stateTags(person: Person): HTMLElement {
  return h(
    "span",
    { class: "tags" },
    !person.active
      ? h("span", { class: "tag" }, icon("close"), t("people.inactive"))
      : person.locked
        ? h("span", { class: "tag bad" }, icon("lock"), t("people.locked"))
        : h("span", { class: "tag good" }, icon("check"), t("people.active")),
    person.totp && h("span", { class: "tag", title: t("people.secondFactorOn") }, icon("key"), "2FA"),
    person.sso && h("span", { class: "tag", title: t("people.ssoHint") }, "SSO"),
  );
}

export function sensitivityTag(sensitivity: string | undefined): HTMLElement {
  return h("span", { class: `tag sensitivity ${sensitivity ?? ""}` }, sensitivity ? sensitivityName(sensitivity) : "–");
}

export function verbTags(verbs: readonly string[]): HTMLElement {
  return h("span", { class: "tags" }, ...verbs.map((verb) => h("span", { class: "tag" }, verbName(verb))));
}

/** How much of a layer somebody sees. */
export function seenTag(seen: "whole" | "part" | "no"): HTMLElement {
  const look = { whole: "good", part: "warning", no: "" }[seen];
  const sign = { whole: "eye", part: "filter", no: "eyeOff" } as const;
  return h("span", { class: `tag ${look}` }, icon(sign[seen]), t(`seen.${seen}`));
}
