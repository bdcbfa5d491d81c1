/** A short tone for new grave alarms: off until somebody switches it on, for this browser. */
import { Signal } from "../../signal";
import type { AlarmStore } from "./alarmStore";

const KEPT = "cim.alarms.sound";
/** From this level on. */
const GRAVE = 3;
/** Hertz; two notes, the second higher, of so many seconds each. */
const NOTES = [660, 880];
const LENGTH = 0.16;
const LOUD = 0.12;

export class AlarmTone {
  readonly changed = new Signal();
  /** How often it has sounded on this page. */
  sounded = 0;
  private context: AudioContext | null = null;

  constructor(alarms: AlarmStore) {
    alarms.raised.on(({ level }) => {
      if (level >= GRAVE && this.on) this.sound();
    });
  }

  get on(): boolean {
    return localStorage.getItem(KEPT) === "1";
  }

  set on(on: boolean) {
    if (on) localStorage.setItem(KEPT, "1");
    else localStorage.removeItem(KEPT);
    if (on) this.sound(); // one hears what one has asked for
    this.changed.emit();
  }

  private sound(): void {
    // Without a click or a key before, browsers let no page sound.
    if (!navigator.userActivation.hasBeenActive) return;
    this.sounded++;
    const context = (this.context ??= new AudioContext());
    void context.resume();
    NOTES.forEach((pitch, i) => {
      const [begin, end] = [context.currentTime + i * LENGTH, context.currentTime + (i + 1) * LENGTH];
      const [tone, gain] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(LOUD, begin + 0.02);
      gain.gain.linearRampToValueAtTime(0, end);
      tone.connect(gain).connect(context.destination);
      tone.start(begin);
      tone.stop(end);
    });
  }
}
