/** What happens in the city, as it happens: one channel for layers and jobs. */
import type { Job } from "./data/types";
import type { Alarm } from "./sensing/panels/alarmApi";
import { Signal } from "./signal";

export type LiveState = "connecting" | "live" | "lost";

const RETRY = 3_000;

export class Live {
  readonly state = new Signal<LiveState>();
  readonly layer = new Signal<{ id: string; version: number | null }>();
  readonly job = new Signal<Job>();
  /** An alarm, as it is now. */
  readonly alarm = new Signal<Alarm>();
  /** Something of renewal changed; its newest revision. */
  readonly renewal = new Signal<{ revision: number }>();
  /** Something of a check-up changed; its newest revision. */
  readonly checkup = new Signal<{ revision: number }>();
  /** The channel is back after an interruption: what was missed has to be asked for. */
  readonly resumed = new Signal();
  private current: LiveState = "connecting";
  private interrupted = false;
  private source: EventSource | null = null;

  get status(): LiveState {
    return this.current;
  }

  connect(): void {
    this.source?.close();
    const source = new EventSource("/events");
    this.source = source;
    source.addEventListener("open", () => {
      this.become("live");
      if (this.interrupted) this.resumed.emit();
      this.interrupted = false;
    });
    source.addEventListener("error", () => {
      this.interrupted = true;
      this.become("lost");
      // The browser retries by itself unless the answer was an error; then it gives up.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.connect(), RETRY);
    });
    source.addEventListener("layer", (event) => this.layer.emit(JSON.parse((event as MessageEvent).data)));
    source.addEventListener("job", (event) => this.job.emit(JSON.parse((event as MessageEvent).data)));
    source.addEventListener("alarm", (event) => this.alarm.emit(JSON.parse((event as MessageEvent).data)));
    source.addEventListener("renewal", (event) => this.renewal.emit(JSON.parse((event as MessageEvent).data)));
    source.addEventListener("checkup", (event) => this.checkup.emit(JSON.parse((event as MessageEvent).data)));
    // A page that is being left is not a lost connection.
    window.addEventListener("pagehide", () => source.close(), { once: true });
  }

  private become(state: LiveState): void {
    if (state === this.current) return;
    this.current = state;
    this.state.emit(state);
  }
}
