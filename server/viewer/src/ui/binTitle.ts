/** How a class of the legend is called. */
import { formatNumber, t } from "../i18n";
import type { Bin } from "../theme";

export function limitsTitle(bin: Bin, unit: string): string {
  if (bin.rest) return t(bin.rest === "none" ? "theme.missing" : "theme.other");
  if (bin.from !== undefined && bin.to !== undefined) {
    const numbers = [bin.from, bin.to].map((value) => formatNumber(value, 2));
    return `${numbers[0] === numbers[1] ? numbers[0] : numbers.join(" – ")}${unit && ` ${unit}`}`;
  }
  if (typeof bin.value === "boolean") return t(bin.value ? "attr.true" : "attr.false");
  return typeof bin.value === "number" ? formatNumber(bin.value) : String(bin.value);
}
