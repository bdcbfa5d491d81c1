/** The time that is looked at: now, as it happens, or a past one that can be let run. */
import { Signal } from "../signal";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far back the slider goes, and how finely. */
export const REACHES = {
  day: { reach: DAY, step: 5 * MINUTE },
  week: { reach: 7 * DAY, step: 30 * MINUTE },
  month: { reach: 31 * DAY, step: 2 * HOUR },
} as const;
export type Reach = keyof typeof REACHES;

/** Steps of the slider in a second. */
export const SPEEDS = [1, 2, 4] as const;
export type Speed = (typeof SPEEDS)[number];

export class Clock {
  /** Another time, or it runs otherwise. */
  readonly changed = new Signal();
  /** Whether what is shown of the time is there, so that the next one may come. */
  ready: () => boolean = () => true;
  private instant: number | null = null;
  private back: Reach = "day";
  private pace: Speed = 2;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Milliseconds since 1970; null for now. */
  get at(): number | null {
    return this.instant;
  }

  set at(instant: number | null) {
    this.instant = instant === null || instant >= this.last ? null : Math.max(Math.round(instant), this.first);
    if (this.instant === null) this.halt();
    this.changed.emit();
  }

  get reach(): Reach {
    return this.back;
  }

  set reach(reach: Reach) {
    this.back = reach;
    if (this.instant !== null && this.instant < this.first) this.instant = this.first;
    this.changed.emit();
  }

  get speed(): Speed {
    return this.pace;
  }

  set speed(speed: Speed) {
    this.pace = speed;
    if (this.playing) this.play();
    else this.changed.emit();
  }

  /** The first and the last time of the slider, on whole steps. */
  get first(): number {
    return this.last - REACHES[this.back].reach;
  }

  get last(): number {
    const { step } = REACHES[this.back];
    return Math.ceil(Date.now() / step) * step;
  }

  get step(): number {
    return REACHES[this.back].step;
  }

  get playing(): boolean {
    return this.timer !== undefined;
  }

  /** From the beginning if it is now. */
  play(): void {
    this.halt();
    this.instant ??= this.first;
    this.timer = setInterval(() => {
      if (!document.hidden && this.ready()) this.at = this.instant! + this.step;
    }, 1000 / this.pace);
    this.changed.emit();
  }

  pause(): void {
    this.halt();
    this.changed.emit();
  }

  private halt(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
