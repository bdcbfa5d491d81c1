import { ApiError } from "../data/api";
import { t } from "../i18n";

/** One sentence for the user; the server's own wherever it gave one. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.status === 0 ? t("app.unreachable") : error.message;
  return error instanceof Error ? error.message : String(error);
}
