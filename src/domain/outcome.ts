/** What a step came to: a value, never thrown. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly exitCode?: number; readonly message: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'canceled'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly because: string };
