/** Who looks at the city, and whether the server still knows them. */
import { ApiError, turnedAway } from "./data/api";
import { account, lifetime } from "./data/session";
import type { Person, Session } from "./office/types";
import { setRights } from "./rights";
import { Signal } from "./signal";

/** Milliseconds: how long after its time a session is asked about, how soon at the earliest, and the longest timer. */
const GRACE = 2_000;
const SOONEST = 30_000;
const LONGEST = 2 ** 31 - 1;

export class Account {
  /** What is known of the account changed, or it is not signed in here any more. */
  readonly changed = new Signal();
  /** Whether the server has forgotten who this page was opened by. */
  ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private known: Session) {
    setRights(known.may);
    turnedAway.on(() => void this.check());
    this.wait();
  }

  get session(): Session {
    return this.known;
  }

  get person(): Person | null {
    return this.known.person;
  }

  /** Asks who this page is opened by; false if it is not who it was. */
  async check(): Promise<boolean> {
    if (this.ended) return false;
    if (!this.person) return true;
    let now: Session;
    try {
      now = await account.session();
    } catch (error) {
      if (error instanceof ApiError) return true; // nobody can tell now
      throw error;
    }
    if (now.person?.id === this.person.id) {
      this.known = now;
      setRights(now.may);
      this.wait();
    } else this.ended = true;
    this.changed.emit();
    return !this.ended;
  }

  /** Looks after the session when its time is over. */
  private wait(): void {
    clearTimeout(this.timer);
    const { expires, person } = this.known;
    if (expires === null || !person) return;
    const left = Math.max(SOONEST, lifetime(expires, null) + GRACE);
    if (left < LONGEST) this.timer = setTimeout(() => void this.check(), left);
  }
}
