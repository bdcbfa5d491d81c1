import { ApiError } from "../data/api";
import type { Problem } from "../data/types";
import { said, t } from "../i18n";

/** One sentence for the user, in the language of now; the server's own wherever it gave one. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) {
    return error.status === 0 ? t("app.unreachable") : said(error.message, error.messageZh);
  }
  return error instanceof Error ? error.message : String(error);
}

/** What a job died of, in the language of now. */
export function problemText(problem: Problem): string {
  return said(problem.detail ?? problem.title, problem.detail_zh);
}
