/** Asking the city questions: which process, with what inputs, and what came of it. */
import { api } from "./data/api";
import type { ProcessDescription, ProcessResult, ProcessSummary } from "./data/processes";
import { Signal } from "./signal";

export type Inputs = Record<string, unknown>;

export class Analysis {
  /** The process, its inputs, its result or the list of processes changed. */
  readonly changed = new Signal();
  processes: ProcessSummary[] = [];
  process: ProcessDescription | null = null;
  inputs: Inputs = {};
  result: ProcessResult | null = null;
  error: unknown = null;
  /** How often inputs were set that nobody typed. */
  filled = 0;
  /** Only the last of several questions counts. */
  private asked = 0;
  private pending = 0;

  get busy(): boolean {
    return this.pending > 0;
  }

  /** The inputs that are places on the map. */
  get placeInputs(): string[] {
    const inputs = Object.entries(this.process?.inputs ?? {});
    return inputs.filter(([, { schema }]) => schema.format === "geojson-geometry").map(([name]) => name);
  }

  /** Loads the list, once. */
  async list(): Promise<void> {
    if (this.processes.length > 0) return;
    await this.wait(async () => {
      this.processes = await api.processes();
    });
  }

  async choose(id: string | null): Promise<void> {
    if (this.process?.id === id) return;
    this.asked++;
    this.result = null;
    this.error = null;
    this.inputs = {};
    if (id === null) this.process = null;
    else
      await this.wait(async () => {
        this.process = await api.process(id);
      });
    this.changed.emit();
  }

  /** Sets an input; `undefined` leaves it to its default. */
  set(name: string, value: unknown): void {
    const next = { ...this.inputs };
    if (value === undefined) delete next[name];
    else next[name] = value;
    this.inputs = next;
    this.changed.emit();
  }

  /** Sets inputs that nobody typed, so that their fields have to show them. */
  fill(inputs: Inputs): void {
    this.inputs = { ...this.inputs, ...inputs };
    this.filled++;
    this.changed.emit();
  }

  /** Asks. What was typed since is not waited for. */
  async run(): Promise<void> {
    const { process, inputs } = this;
    if (!process) return;
    const asked = ++this.asked;
    await this.wait(async () => {
      const result = await api.execute(process.id, inputs);
      if (asked === this.asked) this.result = result;
    });
  }

  /** More rows of a table that goes on. */
  async more(output: string): Promise<void> {
    const { process, inputs, result } = this;
    const table = result?.[output];
    if (!process || !table || !("next" in table) || !table.next) return;
    const asked = this.asked;
    await this.wait(async () => {
      const further = await api.execute(process.id, { ...inputs, after: table.next });
      const next = further[output];
      if (asked !== this.asked || !next || !("rows" in next)) return;
      this.result = { ...result, [output]: { ...next, rows: [...table.rows, ...next.rows] } };
    });
  }

  clear(): void {
    this.asked++;
    this.result = null;
    this.error = null;
    this.changed.emit();
  }

  private async wait(task: () => Promise<void>): Promise<void> {
    const asked = this.asked;
    this.pending++;
    this.changed.emit();
    try {
      await task();
      if (asked === this.asked) this.error = null;
    } catch (error) {
      if (asked === this.asked) this.error = error;
    } finally {
      this.pending--;
      this.changed.emit();
    }
  }
}
