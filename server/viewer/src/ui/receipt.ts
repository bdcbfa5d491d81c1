/** "Where does this come from?" */
import { api } from "../data/api";
import type { Receipt } from "../data/types";
import { h, replace } from "../dom";
import { formatBytes, formatTime, isTextKey, t } from "../i18n";
import type { TextKey } from "../texts";
import { errorText } from "./errors";
import { openDialog } from "./dialog";

function plain(value: unknown): string {
  if (value === null || value === undefined) return t("receipt.default");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Rows of a definition list; values stay selectable text. */
export function facts(rows: [string, string | Node | null][]): HTMLElement {
  const list = h("dl", { class: "facts" });
  for (const [name, value] of rows) {
    if (value === null || value === "") continue;
    list.append(h("dt", {}, name), h("dd", {}, value));
  }
  return list;
}

/** The words that importing knows, as the rest of the page writes them. */
const LABELS: Record<string, TextKey> = {
  layer: "attr.layer",
  version: "attr.versionRow",
  title: "import.optTitle",
  crs: "import.optCrs",
  anchor: "import.optAnchor",
  from: "receipt.from",
  to: "receipt.to",
};

function kind(name: string): string {
  const key = `receipt.kind.${name}`;
  return isTextKey(key) ? t(key) : name;
}

function record(title: string, values: Record<string, unknown>): HTMLElement | null {
  const rows = Object.entries(values).map(([name, value]): [string, string] => [
    LABELS[name] ? t(LABELS[name]) : name,
    plain(value),
  ]);
  return rows.length === 0 ? null : h("section", {}, h("h3", {}, title), facts(rows));
}

function input(entry: Receipt["inputs"][number]): HTMLElement {
  return h(
    "div",
    { class: "receipt-input" },
    h("strong", {}, entry.name),
    typeof entry.bytes === "number" && h("span", { class: "muted" }, formatBytes(entry.bytes)),
    typeof entry.version === "number" &&
      h("span", { class: "muted" }, t("layer.version", { n: entry.version })),
    !!entry.sha256 && h("code", { class: "hash" }, `SHA-256 ${entry.sha256}`),
  );
}

function content(receipt: Receipt): Node[] {
  const parts = [
    facts([
      [t("receipt.kind"), kind(receipt.kind)],
      [t("receipt.when"), formatTime(receipt.when)],
      [t("receipt.who"), receipt.who],
      [t("receipt.software"), receipt.software],
      [t("receipt.id"), h("code", {}, receipt.id)],
    ]),
    receipt.inputs.length > 0
      ? h("section", {}, h("h3", {}, t("receipt.inputs")), ...receipt.inputs.map(input))
      : null,
    record(t("receipt.parameters"), receipt.parameters),
    record(t("receipt.outputs"), receipt.outputs),
  ];
  return parts.filter((part) => part !== null);
}

export async function openReceipt(id: string): Promise<void> {
  const { body } = openDialog(t("receipt.title"), "receipt");
  replace(body, h("p", { class: "muted" }, t("receipt.loading")));
  try {
    replace(body, ...content(await api.receipt(id)));
  } catch (error) {
    replace(body, h("p", { class: "error-text" }, t("receipt.failed", { detail: errorText(error) })));
  }
}
