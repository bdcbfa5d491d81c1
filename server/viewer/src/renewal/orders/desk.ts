/** What the right side shows: which page of the chosen project, which order, and what was filtered in the list of orders. */
import { Signal } from "../../signal";
import { today } from "../days";
import type { Store } from "../store";

export const PAGES = ["overview", "stages", "land", "orders", "evidence", "history", "households"] as const;
export type PageName = (typeof PAGES)[number];

export interface OrderFilters {
  state: string;
  urgency: string;
  unit: string;
}

const desks = new WeakMap<Store, Desk>();

/** The one desk of a view. */
export function deskOf(store: Store): Desk {
  const known = desks.get(store) ?? new Desk(store);
  desks.set(store, known);
  return known;
}

class Desk {
  /** Another page or order is shown. */
  readonly changed = new Signal();
  page: PageName = "overview";
  /** The order that is looked at; null for the list. */
  order: string | null = null;
  filters: OrderFilters = { state: "", urgency: "", unit: "" };

  constructor(readonly store: Store) {
    store.chosenChanged.on(() => (this.order = null));
  }

  show(page: PageName): void {
    this.page = page;
    this.order = null;
    this.changed.emit();
  }

  /** One order, or the list of them. */
  look(order: string | null): void {
    this.page = "orders";
    this.order = order;
    this.changed.emit();
  }

  /** Whether an earlier day is looked at: nothing can be done with what was. */
  get past(): boolean {
    return this.store.then || this.store.at !== this.store.last;
  }

  /** The day by which orders are looked at: they go on after the last record. */
  get day(): string {
    return this.past ? this.store.at : today();
  }

  /** After something was written: the figures follow. */
  async after(): Promise<void> {
    await this.store.refresh();
  }
}

export type { Desk };
