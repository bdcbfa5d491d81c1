/** Files that show something: pictures small, others by their name; each opens in a tab of its own. */
import { h, icon } from "../../dom";
import { formatBytes } from "../../i18n";
import { writing } from "../orders/api";
import type { EvidenceDocument, Subject } from "../orders/types";

/** Kinds that browsers draw. */
const DRAWN = /^image\/(png|jpe?g|webp|gif|avif)$/;

export function evidenceTiles(shown: readonly Subject<EvidenceDocument>[], captions = false): HTMLElement {
  return h("ul", { class: captions ? "evidence-tiles large" : "evidence-tiles" }, ...shown.map((one) => h("li", {}, tile(one, captions))));
}

function tile({ id, document: { name, media_type, size, note, taken } }: Subject<EvidenceDocument>, captions: boolean): HTMLElement {
  const href = writing.evidenceFile(id);
  const title = [name, note, taken, formatBytes(size)].filter(Boolean).join("\n");
  const picture = DRAWN.test(media_type)
    ? h("img", { src: href, alt: name, loading: "lazy", decoding: "async" })
    : h("span", { class: "evidence-kind" }, icon("source"), h("b", {}, kindOf(name)));
  return h(
    "a",
    { href, target: "_blank", rel: "noopener", title, "data-evidence": id },
    picture,
    captions
      ? h("span", { class: "evidence-caption" }, h("strong", {}, note || name), h("span", { class: "muted" }, [taken, formatBytes(size)].filter(Boolean).join(" ")))
      : !DRAWN.test(media_type) && h("span", { class: "evidence-caption" }, name),
  );
}

function kindOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1, dot + 6).toUpperCase() : "";
}
