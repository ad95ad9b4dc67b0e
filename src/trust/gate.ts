import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import type { Digest } from '../domain/digest.ts';
import { holdsOnlyDocuments } from './documents.ts';
import { findPolicies, type TrustPolicy } from './policy.ts';
import type { ImageSource, Verdict } from './ports.ts';
import { verifyImage } from './verify.ts';

/** What the gate asks. */
export interface TrustGateOptions {
  /** The policies that stand. Give the same objects as long as nothing changed: what was found out is kept by object. */
  readonly policies: () => readonly TrustPolicy[];
  readonly sourceOf: (repository: string) => ImageSource;
  readonly clock: Clock;
}

/** Whether a manifest may be pulled. */
export interface TrustDecision {
  readonly isAllowed: boolean;
  /** What each policy of the repository says of it; empty when none has a word in it, or it holds only documents. */
  readonly verdicts: readonly Verdict[];
  /** One sentence for each policy that is not content, whether it enforces or warns. */
  readonly complaints: readonly string[];
}

export interface TrustGate {
  /**
   * Asked before a manifest leaves, by tag (then with the digest that the tag names) or by digest. A manifest in an
   * index is trusted when the index is. Rejects when the store cannot be read: then nothing may leave.
   */
  demandTrust(digest: Digest, repository: string): Promise<TrustDecision>;
}

interface Known {
  readonly candidates: string;
  readonly verdict: Verdict;
  readonly goodUntil: number;
}

type Memory = LRUCache<string, Known>;

/** How far up an image looks for a signed index, and how many indexes beside each other. */
const [maxDepth, maxIndexes] = [3, 16];
/** How long a verdict is believed while the list of signatures stays the same. */
const [trustMs, refusalMs] = [10 * 60_000, 30_000];
const maxKnown = 4096;

interface Question {
  readonly digest: Digest;
  readonly repository: string;
  readonly policy: TrustPolicy;
  readonly source: ImageSource;
  readonly now: number;
  readonly memory: Memory;
}

/** Makes the gate that the registry asks before a pull. */
export function createTrustGate({ policies, sourceOf, clock }: TrustGateOptions): TrustGate {
  const memories = new WeakMap<TrustPolicy, Memory>();
  const memoryOf = (policy: TrustPolicy): Memory => {
    const memory = memories.get(policy) ?? new LRUCache<string, Known>({ max: maxKnown });
    memories.set(policy, memory);
    return memory;
  };
  // A manifest's bytes never change, so neither does the answer; a blob that was missing may come.
  const documents = new LRUCache<string, true>({ max: maxKnown });
  const isDocument = async (key: string, ask: () => Promise<boolean>): Promise<boolean> => {
    if (documents.has(key)) return true;
    const isOne = await ask();
    if (isOne) documents.set(key, true);
    return isOne;
  };
  return {
    async demandTrust(digest, repository) {
      const asked = findPolicies(policies(), repository);
      if (asked.length === 0) return { isAllowed: true, verdicts: [], complaints: [] };
      const source = sourceOf(repository);
      const now = clock.now();
      const verdicts = await Promise.all(
        asked.map((policy) => judge({ digest, repository, policy, source, now, memory: memoryOf(policy) }, 0)),
      );
      if (verdicts.every(({ isTrusted }) => isTrusted)) return { isAllowed: true, verdicts, complaints: [] };
      if (await isDocument(`${repository}@${digest}`, () => holdsOnlyDocuments(digest, source)))
        return { isAllowed: true, verdicts: [], complaints: [] };
      return decide(asked, verdicts);
    },
  };
}

function decide(policies: readonly TrustPolicy[], verdicts: readonly Verdict[]): TrustDecision {
  const isAllowed = policies.every(({ mode }, index) => mode === 'warn' || verdicts[index]?.isTrusted === true);
  const complaints = verdicts.filter(({ isTrusted }) => !isTrusted).map(describeVerdict);
  return { isAllowed, verdicts, complaints };
}

/** The image's own verdict, or that of the first trusted index that names it. */
async function judge(question: Question, depth: number): Promise<Verdict> {
  const own = await recall(question);
  if (own.isTrusted || depth === maxDepth) return own;
  const indexes = await question.source.listIndexes(question.digest);
  for (const digest of indexes.slice(0, maxIndexes)) {
    const verdict = await judge({ ...question, digest }, depth + 1);
    if (verdict.isTrusted) return verdict;
  }
  return own;
}

async function recall({ digest, repository, policy, source, now, memory }: Question): Promise<Verdict> {
  const list = await source.listSignatures(digest);
  const [key, candidates] = [`${repository}@${digest}`, list.join()];
  const known = memory.get(key);
  if (known?.candidates === candidates && now < known.goodUntil) return known.verdict;
  const verdict = await verifyImage({ digest, policy, now, source: withList(source, list) });
  const goodUntil = Math.min(now + (verdict.isTrusted ? trustMs : refusalMs), verdict.validUntil ?? Infinity);
  memory.set(key, { candidates, verdict, goodUntil });
  return verdict;
}

/** The same source, with the list that the answer will be remembered for. */
function withList(source: ImageSource, list: readonly Digest[]): ImageSource {
  return {
    listSignatures: () => Promise.resolve(list),
    readManifest: (digest, maxBytes) => source.readManifest(digest, maxBytes),
    readBlob: (digest, maxBytes) => source.readBlob(digest, maxBytes),
    listIndexes: (digest) => source.listIndexes(digest),
  };
}

/** A verdict as one sentence, for error messages and logs. */
export function describeVerdict({ policy, isTrusted, required, signers, refusals }: Verdict): string {
  const by = signers.map(({ name, id }) => `${name} (${id.slice(0, 19)})`).join(', ');
  if (isTrusted) return `the trust policy ${policy} is content: signed by ${by}`;
  const found = signers.length === 0 ? 'there is none that counts' : `there is only that of ${by}`;
  const shown = refusals.slice(0, 3).map(({ artifact, because }) => `${artifact.slice(0, 19)}: ${because}`);
  const more = refusals.length > 3 ? [`and ${String(refusals.length - 3)} more`] : [];
  const why = refusals.length === 0 ? '' : ` (${[...shown, ...more].join('; ')})`;
  return `the trust policy ${policy} demands ${required === 1 ? 'a signature' : `${String(required)} signatures`}, and ${found}${why}`;
}
