/** The paths under which protected files lie, as text. */

const HOST = String.raw`(?:https?:\/\/[^/\s]+)?`;
const PREFIX = String.raw`(\/c\/[^/?#\s]+)(?=\/(?:t|tiles)\/)`;
const AT_THE_BEGINNING = new RegExp(`^${HOST}${PREFIX}`);
const ANYWHERE = new RegExp(String.raw`((?:^|[\s"'(])${HOST})${PREFIX}`, "g");
const FILE = /^(https?:\/\/[^/]+)?\/(?:t|tiles)\/([^/?#]+)/;

/** The prefix in an address; null for a file that anyone may read. */
export function prefixOf(address: string | null | undefined): string | null {
  return address?.match(AT_THE_BEGINNING)?.[1] ?? null;
}

/** An address, or any text with addresses in it, without prefixes. */
export function withoutPrefix(text: string): string {
  return text.replace(ANYWHERE, "$1");
}

/** The address to ask for a file of a layer; only those of guarded layers are changed. */
export function throughPrefix(url: string, prefix: string, guarded: ReadonlySet<string>): string {
  const found = FILE.exec(url);
  if (!found || !guarded.has(decodeURIComponent(found[2]!))) return url;
  const host = found[1] ?? "";
  return `${host}${prefix}${url.slice(host.length)}`;
}
