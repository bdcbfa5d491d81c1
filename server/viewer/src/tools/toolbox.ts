/** The tools and which of them is in hand. */
import type { Cartesian2 } from "cesium";
import { Signal } from "../signal";
import type { Tool, ToolName } from "./tool";

/**
 * A press takes a tool in hand and switches it on, a second press switches it off. What is on stays
 * on when another tool is taken, so that one can measure within a section.
 */
export class Toolbox {
  /** Another tool is in hand, or the state of one changed. */
  readonly changed = new Signal();
  private held: Tool | null = null;

  constructor(readonly tools: readonly Tool[]) {
    for (const tool of tools) {
      tool.changed.on(() => {
        if (this.held === tool && !tool.on) this.held = null;
        this.changed.emit();
      });
    }
  }

  get active(): Tool | null {
    return this.held;
  }

  tool(name: ToolName): Tool {
    return this.tools.find((tool) => tool.name === name)!;
  }

  press(name: ToolName): void {
    const tool = this.tool(name);
    if (this.held === tool) return this.drop();
    this.held?.leave?.();
    this.held = tool;
    if (!tool.on) tool.start();
    this.changed.emit();
  }

  /** Puts away what is in hand and ends what it does; false if nothing was. */
  escape(): boolean {
    if (!this.held) return false;
    this.drop();
    return true;
  }

  /** Whether a tool took the click. */
  click(point: Cartesian2): boolean {
    if (!this.held?.click) return false;
    this.held.click(point);
    return true;
  }

  get links(): Record<string, string> {
    const on = this.tools.map((tool) => [tool.name, tool.link] as const);
    return Object.fromEntries(on.filter((entry): entry is [ToolName, string] => entry[1] !== null));
  }

  set links(links: Record<string, string>) {
    for (const tool of this.tools) tool.link = links[tool.name] ?? null;
  }

  private drop(): void {
    const tool = this.held;
    this.held = null;
    tool?.stop();
    this.changed.emit();
  }
}
