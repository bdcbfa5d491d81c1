/** The drawing of an answer: which is shown, and as what files it can be had. */
import type { Analysis } from "./analysis";
import { api } from "./data/api";
import { isDrawing, type ResultDrawing } from "./data/processes";
import { Signal } from "./signal";

export class Charts {
  readonly changed = new Signal();
  output: string | null = null;
  private from: unknown = null;

  constructor(private readonly analysis: Analysis) {
    analysis.changed.on(() => {
      if (analysis.result === this.from) return;
      this.from = analysis.result;
      const found = Object.entries(analysis.result ?? {}).find(([, output]) => isDrawing(output));
      this.open(found?.[0] ?? null);
    });
  }

  get drawing(): ResultDrawing | null {
    const output = this.output === null ? undefined : this.analysis.result?.[this.output];
    return output && isDrawing(output) ? output : null;
  }

  open(output: string | null): void {
    this.output = output;
    this.changed.emit();
  }

  /** The drawing, or a table of the same answer, as a file. */
  async file(output: string, mediaType: string): Promise<Blob> {
    const { process, inputs } = this.analysis;
    return api.executeFor(process!.id, inputs, output, mediaType);
  }

  /** The first table of the answer, which says in numbers what is drawn. */
  get table(): string | null {
    const found = Object.entries(this.analysis.result ?? {}).find(([, output]) => "rows" in output);
    return found?.[0] ?? null;
  }
}
