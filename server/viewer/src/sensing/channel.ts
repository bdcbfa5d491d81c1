/** The live channels: one WebSocket for each layer that has things. */
import { turnedAway } from "../data/api";
import { readFrame, type Frame } from "./frames";

export type ChannelState = "connecting" | "live" | "lost";

/** Milliseconds before a lost channel is opened again: at first, and at most. */
const SOONEST = 1_000;
const LATEST = 30_000;

/** Codes that a channel is closed with: nobody is signed in any more, and there is no such layer. */
const UNKNOWN = 4401;
const NO_LAYER = 4404;

export interface Listener {
  frame: (datastreams: readonly number[], frame: Frame) => void;
  /** What a channel is about, before its first frame and whenever that has changed. */
  head: (layer: string, datastreams: readonly number[]) => void;
  state: () => void;
  /** The layer is not there any more for whoever looks. */
  gone: () => void;
}

interface Head {
  datastreams: { id: number }[];
}

class Channel {
  state: ChannelState = "connecting";
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = SOONEST;
  private datastreams: number[] = [];

  constructor(
    private readonly layer: string,
    private readonly listener: Listener,
  ) {}

  open(): void {
    if (this.socket) return;
    clearTimeout(this.timer);
    const address = new URL(`/live/${encodeURIComponent(this.layer)}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => socket === this.socket && this.hear(data));
    socket.addEventListener("close", ({ code }) => socket === this.socket && this.lose(code));
    this.socket = socket;
  }

  close(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  private hear(data: unknown): void {
    if (typeof data === "string") {
      this.datastreams = (JSON.parse(data) as Head).datastreams.map(({ id }) => id);
      this.listener.head(this.layer, this.datastreams);
      return;
    }
    const frame = readFrame(data as ArrayBuffer);
    if (!frame) return;
    this.wait = SOONEST;
    this.become("live");
    this.listener.frame(this.datastreams, frame);
  }

  /** Opens it again after a while, which doubles as long as nothing comes. */
  private lose(code: number): void {
    this.socket = null;
    this.become("lost");
    if (code === UNKNOWN) turnedAway.emit();
    if (code === NO_LAYER) {
      this.wait = LATEST;
      this.listener.gone();
    }
    this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(LATEST, this.wait * 2);
  }

  private become(state: ChannelState): void {
    if (state === this.state) return;
    this.state = state;
    this.listener.state();
  }
}

export class Channels {
  private readonly channels = new Map<string, Channel>();

  constructor(private readonly listener: Listener) {
    // Nobody looks: nothing is told, and all is told anew when somebody does.
    document.addEventListener("visibilitychange", () => {
      for (const channel of this.channels.values()) {
        if (document.hidden) channel.close();
        else channel.open();
      }
    });
    window.addEventListener("pagehide", () => this.follow(new Set()), { once: true });
  }

  /** As bad as the worst channel; "none" without any. */
  get state(): ChannelState | "none" {
    const states = new Set([...this.channels.values()].map(({ state }) => state));
    return (["lost", "connecting", "live"] as const).find((state) => states.has(state)) ?? "none";
  }

  /** Listens to these layers, and to no others. */
  follow(layers: ReadonlySet<string>): void {
    for (const [layer, channel] of this.channels) {
      if (layers.has(layer)) continue;
      channel.close();
      this.channels.delete(layer);
    }
    for (const layer of layers) {
      if (this.channels.has(layer)) continue;
      const channel = new Channel(layer, this.listener);
      this.channels.set(layer, channel);
      if (!document.hidden) channel.open();
    }
    this.listener.state();
  }
}
