/** Something the server tells, and how far asking for it is. */
import { Signal } from "../signal";

export class Source<T> {
  readonly changed = new Signal();
  /** What was told last; stays while it is asked for again. */
  value: T | null = null;
  error: unknown = null;
  private asked = 0;

  constructor(private readonly ask: () => Promise<T>) {}

  /** Asks now; of several answers under way the one asked for last counts. */
  async refresh(): Promise<void> {
    const asked = ++this.asked;
    try {
      const value = await this.ask();
      if (asked !== this.asked) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (asked !== this.asked) return;
      this.error = error;
    }
    this.changed.emit();
  }

  /** Puts in place what an answer to something else already told. */
  set(value: T): void {
    this.asked++;
    this.value = value;
    this.error = null;
    this.changed.emit();
  }
}
