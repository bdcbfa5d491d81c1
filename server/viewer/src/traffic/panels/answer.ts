/** One answer of the server: asked for when what is asked changes; the last question counts. */
export class Answer<T> {
  value: T | null = null;
  error: unknown = null;
  busy = false;
  private key: string | null = null;
  private asked = 0;

  constructor(private readonly tell: () => void) {}

  /** Asks unless it was asked already. What was answered before stays until the new answer is there. */
  want(key: string, ask: () => Promise<T>): void {
    if (key === this.key) return;
    this.key = key;
    const asked = ++this.asked;
    this.busy = true;
    void ask()
      .then(
        (value) => asked === this.asked && ((this.value = value), (this.error = null)),
        (error: unknown) => asked === this.asked && ((this.error = error), (this.value = null)),
      )
      .then(() => {
        if (asked !== this.asked) return;
        this.busy = false;
        this.tell();
      });
  }

  /** The next `want` asks again; what is there stays so long. */
  stale(): void {
    this.key = null;
  }

  forget(): void {
    this.asked++;
    this.key = null;
    this.value = null;
    this.error = null;
    this.busy = false;
  }
}
