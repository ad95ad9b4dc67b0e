const collator = new Intl.Collator('en', { numeric: true });

/** Compares names as people count: `app-2` comes before `app-10`. For `sort`. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b);
}
