/** What stands between the parts of a line, which differs by language. */
import { language } from "../../i18n";

export function comma(): string {
  return language() === "zh" ? "，" : ", ";
}

export function semicolon(): string {
  return language() === "zh" ? "；" : "; ";
}
