/**
 * Files of layers that strangers may not read lie below a path that is valid for a while and for one
 * person: `/c/<token>/t/…`. Resources name their files without it; it is put before each address as
 * it is asked for, so that tiles loaded an hour later are asked for with what is valid then.
 */
import { type RequestErrorEvent, Resource } from "cesium";
import { lifetime, openCapability } from "./data/session";
import type { Collection } from "./data/types";
import { prefixOf, throughPrefix, withoutPrefix } from "./prefix";
import { Signal } from "./signal";

/** The part of its time after which a prefix that is in use is replaced. */
const USED_UP = 0.75;
/** Milliseconds after which it is tried again where none was given. */
const AGAIN = 10_000;
/** Milliseconds: a file that is missing under a prefix as young as this is missing for another reason. */
const YOUNG = 2_000;
const ATTEMPTS = 2;

export class Capability {
  /** No prefix is given any more; why may be asked of the server. */
  readonly refused = new Signal();
  private prefix = "";
  /** When the prefix came and when it is replaced, by the clock of the page. */
  private since = Number.NEGATIVE_INFINITY;
  private until = Number.NEGATIVE_INFINITY;
  private readonly guarded = new Set<string>();
  private renewing: Promise<void> | null = null;

  /** Takes in which layers strangers may not read. */
  cover(collections: readonly Collection[]): void {
    this.guarded.clear();
    for (const { id, tileset, links } of collections) {
      const found = [tileset?.href, ...(links ?? []).map(({ href }) => href)].map(prefixOf).find(Boolean);
      if (!found) continue;
      this.guarded.add(id);
      // It serves until there is one of which one knows how long it is valid.
      this.prefix ||= found;
    }
  }

  /** A file of a layer, as the engine loads it and all that it names. */
  resource(href: string): Resource {
    return new Resource({
      url: withoutPrefix(href),
      proxy: { getURL: (url) => this.through(url) },
      retryCallback: (resource, error) => this.again(resource!, error),
      retryAttempts: ATTEMPTS,
    });
  }

  /** A page that nobody looks around in asks for nothing, and lets its session run out. */
  private through(url: string): string {
    const address = throughPrefix(url, this.prefix, this.guarded);
    if (address !== url && performance.now() > this.until) void this.renew();
    return address;
  }

  /** Whether a request that failed is worth repeating, with a prefix that may be valid by then. */
  private async again(resource: Resource, error: RequestErrorEvent | undefined): Promise<boolean> {
    const used = prefixOf(resource.request.url);
    if (!used || ![undefined, 401, 403, 404, 410].includes(error?.statusCode)) return false;
    if (used === this.prefix) {
      if (performance.now() - this.since < YOUNG) return false;
      await this.renew();
    }
    // A request that has waited is not made to wait in the queue again, which would lose it.
    Object.assign(resource.request, { throttle: false, throttleByServer: false });
    return used !== this.prefix;
  }

  /** Gets another prefix; all who ask meanwhile wait for the same one. */
  private renew(): Promise<void> {
    this.renewing ??= this.ask().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async ask(): Promise<void> {
    try {
      const { prefix, expires, now } = await openCapability();
      this.prefix = prefix;
      this.since = performance.now();
      this.until = this.since + Math.max(YOUNG, USED_UP * lifetime(expires, now));
    } catch {
      this.until = performance.now() + AGAIN;
      this.refused.emit();
    }
  }
}
