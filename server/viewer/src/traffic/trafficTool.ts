/** Traffic as a tool. All else of it is loaded when it is first taken in hand. */
import type { App } from "../app";
import { h, replace } from "../dom";
import { t } from "../i18n";
import { Signal } from "../signal";
import type { Tool } from "../tools/tool";
import type { Control } from "../ui/controls";
import { errorText } from "../ui/errors";
import { toast } from "../ui/toast";
import { type Choice, decodeChoice, encodeChoice, FIRST } from "./choice";
import type { TrafficPart } from "./part";

export class TrafficTool implements Tool {
  readonly name = "traffic";
  readonly icon = "traffic";
  readonly letter = "t";
  readonly changed = new Signal();
  /** Set when the page is made. */
  app: App | null = null;
  part: TrafficPart | null = null;
  private chosen: Choice | null = null;
  private loading = false;

  get on(): boolean {
    return this.chosen !== null;
  }

  /** Whether something is still asked for. */
  get busy(): boolean {
    return this.loading || (this.on && (this.part?.busy ?? false));
  }

  get choice(): Choice | null {
    return this.chosen;
  }

  change(change: Partial<Choice>): void {
    if (!this.chosen) return;
    this.chosen = { ...this.chosen, ...change };
    this.part?.follow();
    this.changed.emit();
  }

  start(): void {
    this.open(FIRST);
  }

  stop(): void {
    if (!this.chosen) return;
    this.chosen = null;
    this.part?.follow();
    this.changed.emit();
  }

  /** Takes a click on the scene, in CSS pixels of the canvas; false where nothing of traffic stands there. */
  pick(x: number, y: number): boolean {
    return this.on && (this.part?.pick(x, y) ?? false);
  }

  get link(): string | null {
    return this.chosen && encodeChoice(this.chosen);
  }

  set link(text: string | null) {
    if (text === null) this.stop();
    else this.open(decodeChoice(text));
  }

  private open(choice: Choice): void {
    this.chosen = choice;
    if (this.part) this.part.follow();
    else void this.load();
    this.changed.emit();
  }

  /** What its card shows: little until the rest is loaded. */
  get card(): Control {
    const element = h("div", { class: "traffic-card-host" }, h("p", { class: "muted" }, t("traffic.loading")));
    let within: Control | null = null;
    const sync = () => {
      if (this.part && !within) replace(element, (within = this.part.card()).element);
      within?.sync();
    };
    sync();
    return { element, sync };
  }

  private async load(): Promise<void> {
    if (this.loading || !this.app) return;
    this.loading = true;
    try {
      const { TrafficPart: Part } = await import("./part");
      this.part = new Part(this.app, this);
      this.part.follow();
    } catch (error) {
      this.stop();
      toast(errorText(error), "error");
    } finally {
      this.loading = false;
      this.changed.emit();
    }
  }
}
