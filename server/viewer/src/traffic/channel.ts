/** The live channel of one layer's traffic. */
import { turnedAway } from "../data/api";
import { readTrafficFrame, type TrafficFrame, type TrafficHead } from "./frames";

export type ChannelState = "connecting" | "live" | "lost";

/** Milliseconds before a lost channel is opened again: at first, and at most. */
const SOONEST = 1_000;
const LATEST = 30_000;

/** Codes that a channel is closed with: nobody is signed in any more, and there is no such layer. */
const UNKNOWN = 4401;
const NO_LAYER = 4404;

export interface Listener {
  head: (head: TrafficHead) => void;
  frame: (frame: TrafficFrame) => void;
  state: () => void;
}

export class TrafficChannel {
  state: ChannelState = "connecting";
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = SOONEST;
  private closed = false;

  constructor(
    private readonly layer: string,
    private readonly listener: Listener,
  ) {
    document.addEventListener("visibilitychange", this.look);
    window.addEventListener("pagehide", this.leave);
    this.look();
  }

  close(): void {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.look);
    window.removeEventListener("pagehide", this.leave);
    this.leave();
  }

  /** Nobody looks: nothing is told, until somebody does. */
  private readonly look = (): void => (document.hidden ? this.leave() : this.open());

  private readonly leave = (): void => {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  };

  private open(): void {
    if (this.socket || this.closed) return;
    clearTimeout(this.timer);
    const address = new URL(`/traffic/live/${encodeURIComponent(this.layer)}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => socket === this.socket && this.hear(data));
    socket.addEventListener("close", ({ code }) => socket === this.socket && this.lose(code));
    this.socket = socket;
  }

  private hear(data: unknown): void {
    if (typeof data === "string") return this.listener.head(JSON.parse(data) as TrafficHead);
    const frame = readTrafficFrame(data as ArrayBuffer);
    if (!frame) return;
    this.wait = SOONEST;
    this.become("live");
    this.listener.frame(frame);
  }

  /** Opens it again after a while, which doubles as long as nothing comes. */
  private lose(code: number): void {
    this.socket = null;
    this.become("lost");
    if (code === UNKNOWN) turnedAway.emit();
    if (code === NO_LAYER) this.wait = LATEST;
    this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(LATEST, this.wait * 2);
  }

  private become(state: ChannelState): void {
    if (state === this.state) return;
    this.state = state;
    this.listener.state();
  }
}
