/** When what nobody uses any more goes. Milliseconds. */
export interface CollectionSettings {
  /** Between two rounds; 0: only when somebody asks. */
  readonly intervalMs: number;
  /** How long a blob that no manifest names stays after it was last pushed, mounted or asked for: longer than any push takes. */
  readonly graceMs: number;
  /** How long bytes that no repository holds stay: a push of the same bytes saves them. */
  readonly delayMs: number;
  /** Between two walks through the store, which find what a crash left. */
  readonly walkEveryMs: number;
}

const hourMs = 60 * 60 * 1000;

export const defaultCollection: CollectionSettings = {
  intervalMs: 5 * 60 * 1000,
  graceMs: 24 * hourMs,
  delayMs: 24 * hourMs,
  walkEveryMs: 7 * 24 * hourMs,
};
