/** Figures as tables have them: so many decimals, and a dash for none. */
import { language } from "./i18n";

export const NOTHING = "–";

export function fixed(value: number, decimals: number): string {
  return value.toLocaleString(language(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
