/** A list of listeners; the only way modules hear of each other's changes. */
export class Signal<T = void> {
  private readonly listeners = new Set<(value: T) => void>();

  /** Adds a listener and returns the function that removes it. */
  on(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }
}

/** Runs `task` once, `delay` milliseconds after the last call. */
export function debounce(delay: number, task: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(task, delay);
  };
}
