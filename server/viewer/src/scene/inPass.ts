/** Primitives drawn at another point of the engine's order than they would be by themselves. */
import type { Primitive } from "cesium";

/** Places in the engine's drawing order: the ground comes first, what lies on it next, then tiles. */
export const PASS_GLOBE = 2;
export const PASS_ON_GLOBE = 3;

/** What a primitive hands to the engine on every frame. */
interface FrameState {
  commandList: { pass: number }[];
}

export class InPass {
  constructor(
    private readonly primitive: Primitive,
    private readonly pass: number,
  ) {}

  update(frame: FrameState): void {
    const before = frame.commandList.length;
    (this.primitive as unknown as { update: (frame: FrameState) => void }).update(frame);
    for (const command of frame.commandList.slice(before)) command.pass = this.pass;
  }

  isDestroyed(): boolean {
    return this.primitive.isDestroyed();
  }

  destroy(): void {
    this.primitive.destroy();
  }
}
