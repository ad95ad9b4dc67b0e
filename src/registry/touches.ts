/**
 * What a commit looks at and changes, for telling which commits can share an entry of the journal: neither may depend on what the other
 * does. `shared` things are looked at, `own` ones changed. Without either: everything.
 */
export interface Touches {
  readonly shared?: readonly string[];
  readonly own?: readonly string[];
}

/** Commits that one entry of the journal takes. */
export const mostInGroup = 512;

/**
 * The commits that go into the next entry, in the order in which they came, and those that wait. What waits reserves its place: a later one
 * cannot overtake it again and again.
 */
export function formGroup<T extends { readonly touches: Touches }>(waiting: readonly T[]): { group: T[]; rest: T[] } {
  const [group, rest]: [T[], T[]] = [[], []];
  const shared = new Set<string>();
  const own = new Set<string>();
  for (const [position, one] of waiting.entries()) {
    const isAlone = touchesAll(one.touches);
    if (isAlone || group.length === mostInGroup) {
      // It waits for all before it, and all after it wait for it.
      if (position === 0) return { group: [one], rest: waiting.slice(1) };
      return { group, rest: [...rest, ...waiting.slice(position)] };
    }
    (collides(one.touches, shared, own) ? rest : group).push(one);
    for (const key of one.touches.shared ?? []) shared.add(key);
    for (const key of one.touches.own ?? []) own.add(key);
  }
  return { group, rest };
}

function touchesAll({ shared, own }: Touches): boolean {
  return shared === undefined && own === undefined;
}

function collides(touches: Touches, shared: ReadonlySet<string>, own: ReadonlySet<string>): boolean {
  const isOwn = (key: string): boolean => own.has(key);
  return (touches.shared ?? []).some(isOwn) || (touches.own ?? []).some((key) => isOwn(key) || shared.has(key));
}
