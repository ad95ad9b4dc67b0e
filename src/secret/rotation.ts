import type { InstallationKey } from './key-ring.ts';
import { reseal } from './seal.ts';

/** Kinds of things that have something sealed with them. */
export type SealedKind = 'task' | 'notification' | 'secret' | 'run' | 'plan' | 'registry-credential';

/** A sealed text, and what it belongs to. */
export interface SealedText {
  readonly kind: SealedKind;
  readonly name: string;
  readonly sealed: string;
}

/** Every sealed text that an installation keeps. */
export interface SealedTexts {
  /** In no order, some perhaps twice. What is written meanwhile may be missing. Rejects with `redis-unavailable`. */
  list(): AsyncIterable<SealedText>;
  /** Puts another text in the place of this one, and leaves all else as it is; false when it is not there any more. */
  replace(text: SealedText, sealed: string): Promise<boolean>;
}

/** What each kind of text is sealed for (`seal`). */
export type SealPurposes = Readonly<Record<SealedKind, (name: string) => string>>;

/** What a walk over all sealed texts has found. */
export interface SealReport {
  /** Sealed with the key that seals now. */
  readonly current: number;
  /** Sealed with an older one. */
  readonly old: number;
  /** What no key opens, as `kind name`. */
  readonly damaged: readonly string[];
}

export interface SealWalk {
  readonly key: InstallationKey;
  readonly texts: SealedTexts;
  readonly purposes: SealPurposes;
}

/** The text sealed anew; undefined: there is no need; `damaged`: no key opens it. */
function renew({ key, purposes }: SealWalk, { kind, name, sealed }: SealedText): { to?: string } | 'damaged' {
  try {
    const to = reseal(key, sealed, purposes[kind](name));
    return to === undefined ? {} : { to };
  } catch {
    return 'damaged';
  }
}

async function walk(options: SealWalk, onOld: (text: SealedText, to: string) => Promise<unknown>): Promise<SealReport> {
  const counts = { current: 0, old: 0 };
  const damaged = new Set<string>();
  for await (const text of options.texts.list()) {
    const renewed = renew(options, text);
    if (renewed === 'damaged') damaged.add(`${text.kind} ${text.name}`);
    else if (renewed.to === undefined) counts.current++;
    else {
      counts.old++;
      await onOld(text, renewed.to);
    }
  }
  return { ...counts, damaged: [...damaged] };
}

/** Looks at every sealed text and changes none. Rejects as the texts' store does. */
export function inspectSealed(options: SealWalk): Promise<SealReport> {
  return walk(options, () => Promise.resolve());
}

/**
 * Seals anew, with the first key, all that an older one has sealed; `old` says how much that was. Each text by itself, and only when it is
 * still the same: it may be called at any time, by several at once, and again after it was interrupted.
 */
export function resealAll(options: SealWalk): Promise<SealReport> {
  return walk(options, (text, to) => options.texts.replace(text, to));
}
