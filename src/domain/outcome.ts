/** What a step came to: a value, never thrown. */
export type Outcome =
  /**
   * `outputs`: the values that the step gives to later ones, by name; absent when it gives none. `withheld`: names of outputs whose values are
   * kept out of the run's record, because they hold a secret. `imageId`: the engine's id of the image that a build step made.
   */
  | {
      readonly kind: 'succeeded';
      readonly outputs?: Readonly<Record<string, string>>;
      readonly withheld?: readonly string[];
      readonly imageId?: string;
    }
  | { readonly kind: 'failed'; readonly exitCode?: number; readonly message: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'canceled'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly because: string };
