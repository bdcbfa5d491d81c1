/** Which things are shown: all, or those of some classes, conditions and layers. */
import { Signal } from "../signal";
import { type Mark, markOf, MARKS } from "./marks";
import type { Thing } from "./types";

export class Filter {
  readonly changed = new Signal();
  private on = true;
  readonly classes = new Set<string>();
  readonly marks = new Set<Mark>();
  readonly layers = new Set<string>();

  get shown(): boolean {
    return this.on;
  }

  set shown(shown: boolean) {
    this.on = shown;
    this.changed.emit();
  }

  /** Whether nothing is left out. */
  get whole(): boolean {
    return this.on && this.classes.size + this.marks.size + this.layers.size === 0;
  }

  /** Shows or hides what has a word: a class, a condition or a layer. */
  set<Word extends string>(hidden: Set<Word>, word: Word, shown: boolean): void {
    if (shown) hidden.delete(word);
    else hidden.add(word);
    this.changed.emit();
  }

  passes(thing: Thing): boolean {
    return (
      this.on && !this.classes.has(thing.class) && !this.layers.has(thing.layer) && !this.marks.has(markOf(thing))
    );
  }

  /** As a link has it: whether any are shown, and the words that are left out. */
  get link(): string[] {
    const list = (words: ReadonlySet<string>) => [...words].sort().join(",");
    return [this.on ? "1" : "0", list(this.classes), list(this.marks), list(this.layers)];
  }

  set link([shown = "1", classes = "", marks = "", layers = ""]: string[]) {
    const words = (text: string) => text.split(",").filter((word) => word !== "");
    const fill = <Word extends string>(set: Set<Word>, found: readonly Word[]) => {
      set.clear();
      for (const word of found) set.add(word);
    };
    this.on = shown !== "0";
    fill(this.classes, words(classes));
    fill(this.marks, MARKS.filter((mark) => words(marks).includes(mark)));
    fill(this.layers, words(layers));
    this.changed.emit();
  }
}
