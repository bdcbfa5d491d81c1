/** A change of the policy as a sentence. */
import { formatNumber, isTextKey, SEPARATOR, t } from "../i18n";
import { comma, roleName, sensitivityName, verbName } from "./names";
import type { Change, Place, Value } from "./policyDocument";

export function hiddenName(name: string): string {
  const key = `hides.${name}`;
  return isTextKey(key) ? t(key) : name;
}

export function limitName(name: string): string {
  const key = `limit.${name}`;
  return isTextKey(key) ? t(key) : name;
}

function placeText(place: Place): string {
  const [part, name = "", what = "", more = ""] = place.split("/");
  const path =
    part === "limits"
      ? [t("policy.limits"), limitName(name)]
      : part === "hides"
        ? [t("policy.hidden"), hiddenName(name), t(what === "heights" ? "policy.heights" : "policy.attributes")]
        : what === "city"
          ? [roleName(name), t("policy.city")]
          : what === "hides"
            ? [roleName(name), t("policy.hiddenFrom"), hiddenName(more)]
            : [roleName(name), verbName(what), sensitivityName(more)];
  return path.join(" › ");
}

function valueText(place: Place, value: Value): string {
  if (value === undefined) return t("policy.nothing");
  if (typeof value === "boolean") return t(value ? "attr.true" : "attr.false");
  if (typeof value === "number") return formatNumber(value);
  if (typeof value !== "string") {
    const words = place === "limits/second_factor" ? value.map(roleName) : value;
    return words.join(comma()) || t("policy.nothing");
  }
  if (place.endsWith("/city")) return value === "none" ? t("whose.none.long") : verbName(value);
  const key = `whose.${value}.long`;
  return isTextKey(key) ? t(key) : value;
}

export function changeText({ place, before, after }: Change): string {
  return `${placeText(place)}${SEPARATOR}${valueText(place, before)} → ${valueText(place, after)}`;
}
