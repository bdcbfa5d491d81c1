/** How roles, verbs and the like are called on the screen. */
import { isTextKey, language, t } from "../i18n";

function named(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return isTextKey(key) ? t(key) : word;
}

export const roleName = (role: string) => named("role", role);
export const verbName = (verb: string) => named("verb", verb);
export const sensitivityName = (sensitivity: string) => named("sensitivity", sensitivity);
export const viaName = (via: string) => named("via", via);
export const resultName = (result: string) => named("result", result);

/** What stands between the words of a list. */
export const comma = () => (language() === "zh" ? "、" : ", ");
