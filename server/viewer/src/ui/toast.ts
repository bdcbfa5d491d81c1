/** Short notes that leave by themselves. */
import { h } from "../dom";

const LINGER = 4_000;
const LINGER_ERROR = 9_000;

let region: HTMLElement | null = null;

export function toast(message: string, kind: "info" | "error" = "info"): void {
  region ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  const note = h("div", { class: `toast ${kind}` }, message);
  region.append(note);
  setTimeout(() => note.remove(), kind === "error" ? LINGER_ERROR : LINGER);
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed on plain http from another machine
  }
}
