/** What every tab of the panel is. */

export interface Part {
  element: HTMLElement;
  draw: () => void;
  /** The time that is looked at is another one. */
  timed?: () => void;
}
