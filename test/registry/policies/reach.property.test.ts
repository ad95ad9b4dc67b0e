import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/domain/digest.ts';
import type { RepositoryName, Tag } from '../../../src/domain/image-reference.ts';
import { RegistryIndex } from '../../../src/registry/contents.ts';
import { planPurge, parsePurge } from '../../../src/registry/policies/purge.ts';
import { planRetention } from '../../../src/registry/policies/retention.ts';
import type { RemovalUnit } from '../../../src/registry/policies/removal.ts';
import type { ManifestRecord } from '../../../src/registry/records.ts';
import { sha } from '../rig.ts';
import { hourMs, startCare, type CareRig } from './rig.ts';

const repository = 'app' as RepositoryName;
const now = Date.UTC(2026, 5, 1);
const digestOf = (at: number): Digest => sha(`manifest ${String(at)}`) as Digest;

/** A manifest of a generated repository: it names and is about earlier ones only, as pushes make them. */
interface Node {
  readonly children: readonly number[];
  readonly subject: number | undefined;
  readonly ageHours: number;
  readonly tags: readonly string[];
  readonly signs: number | undefined;
  readonly isLocked: boolean;
}

const node = fc.record({
  children: fc.array(fc.nat(20), { maxLength: 3 }),
  subject: fc.option(fc.nat(20), { nil: undefined, freq: 3 }),
  ageHours: fc.oneof(fc.constant(0), fc.nat(50)),
  tags: fc.array(fc.constantFrom('v1', 'v2', 'pr-1', 'pr-2', 'latest'), { maxLength: 2 }),
  signs: fc.option(fc.nat(20), { nil: undefined, freq: 4 }),
  isLocked: fc.boolean().map((yes) => yes),
});

function build(nodes: readonly Node[]): RegistryIndex {
  const index = new RegistryIndex();
  const time = (hours: number): string => new Date(now - hours * hourMs).toISOString();
  index.apply({ is: 'repository', repository, record: { createdTime: time(100), updatedTime: time(100) } });
  for (const [at, one] of nodes.entries()) {
    const digest = digestOf(at);
    const record: ManifestRecord = {
      ...{
        digest,
        mediaType: 'application/json',
        size: 1,
        createdTime: time(one.ageHours),
        updatedTime: time(one.ageHours),
      },
      references: one.children
        .filter((child) => child < at)
        .map((child) => ({ digest: digestOf(child), kind: 'manifest' })),
      ...(one.subject !== undefined && one.subject !== at && { subject: digestOf(one.subject) }),
      ...(one.isLocked && at % 5 === 0 && { attributes: { deleteEnabled: false } }),
    };
    index.apply({ is: 'manifest', repository, digest, record });
    const signing = one.signs === undefined ? [] : [`sha256-${digestOf(one.signs).slice(7)}.sig`];
    for (const tag of [...one.tags, ...signing]) {
      const tagRecord = { digest, createdTime: time(one.ageHours), updatedTime: time(one.ageHours), history: [] };
      index.apply({ is: 'tag', repository, tag: tag as Tag, record: tagRecord, at: time(one.ageHours) });
    }
  }
  return index;
}

/** What must be there after a plan: all that a tag that stays reaches, by a walk that knows nothing of the planner's. */
function checkPlan(index: RegistryIndex, units: readonly RemovalUnit[]): void {
  const contents = index.repository(repository);
  if (contents === undefined) throw new Error('no repository');
  const gone = new Set<string>(units.flatMap(({ manifests }) => manifests.map(({ digest }) => digest)));
  const untagged = new Set<string>(units.flatMap((unit) => [...unit.tags, ...unit.goingTags].map(({ tag }) => tag)));
  const reached = new Set<string>();
  const reach = (digest: string): void => {
    const record = contents.manifests.get(digest);
    if (record === undefined || reached.has(digest)) return;
    reached.add(digest);
    for (const child of record.references) reach(child.digest);
    for (const one of contents.manifests.values()) if (one.subject === digest) reach(one.digest);
    const signature = contents.tag(`sha256-${digest.slice(7)}.sig`);
    if (signature !== undefined) reach(signature.digest);
  };
  for (const [tag, { digest }] of contents.tags) if (!untagged.has(tag)) reach(digest);
  for (const [digest, { attributes, updatedTime }] of contents.manifests) {
    if (attributes?.deleteEnabled === false || now - Date.parse(updatedTime) < hourMs) reach(digest);
  }
  expect([...reached].filter((digest) => gone.has(digest))).toEqual([]);
  // Whatever goes and is bonded goes by one commit.
  for (const unit of units) {
    const together = new Set<string>(unit.manifests.map(({ digest }) => digest));
    for (const { digest, references, subject } of unit.manifests) {
      for (const child of references) expect(gone.has(child.digest)).toBe(together.has(child.digest));
      if (subject !== undefined && gone.has(subject)) expect(together.has(subject)).toBe(true);
      for (const tag of contents.tagsOf(digest)) expect(untagged.has(tag)).toBe(true);
    }
  }
}

describe('what is planned to go', () => {
  it('is never what a tag that stays reaches, through indexes, referrers and signatures', () => {
    const plan = fc.record({
      nodes: fc.array(node, { maxLength: 15 }),
      days: fc.nat(2),
      keep: fc.nat(2),
      hours: fc.nat(40),
      filter: fc.constantFrom('.*:.*', 'app:^pr-', 'app:1$'),
      untagged: fc.boolean(),
    });
    fc.assert(
      fc.property(plan, ({ nodes, days, keep, hours, filter, untagged }) => {
        const index = build(nodes);
        const contents = index.repository(repository);
        if (contents === undefined) return;
        checkPlan(index, planRetention({ repository, contents, now }, { days }));
        const purge = parsePurge({ filters: [filter], ago: `${String(hours)}h`, keep, untagged });
        checkPlan(index, planPurge({ repository, contents, now }, purge));
      }),
      { numRuns: 500 },
    );
  });
});

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

/** One thing that a client does while policies and purges run. */
type Act =
  | { readonly is: 'push'; readonly tag: string; readonly content: number }
  | { readonly is: 'index'; readonly tag: string; readonly children: readonly number[] }
  | { readonly is: 'attach'; readonly tag: string; readonly content: number }
  | { readonly is: 'untag'; readonly tag: string }
  | { readonly is: 'wait'; readonly hours: number }
  | { readonly is: 'policies' }
  | { readonly is: 'purge'; readonly ago: string };

const tag = fc.constantFrom('v1', 'v2', 'pr-1');
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ is: fc.constant('push' as const), tag, content: fc.nat(3) }),
  fc.record({ is: fc.constant('index' as const), tag, children: fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }) }),
  fc.record({ is: fc.constant('attach' as const), tag, content: fc.nat(3) }),
  fc.record({ is: fc.constant('untag' as const), tag }),
  fc.record({ is: fc.constant('wait' as const), hours: fc.nat(3) }),
  fc.constant({ is: 'policies' as const }),
  fc.record({ is: fc.constant('purge' as const), ago: fc.constantFrom('0d', '2h') }),
);

async function perform(rig: CareRig, one: Act): Promise<void> {
  switch (one.is) {
    case 'push':
      await rig.pushImage('app', one.tag, { annotations: { content: String(one.content) } });
      return;
    case 'index': {
      const children = [];
      for (const content of one.children)
        children.push((await rig.pushImage('app', 'by digest', { annotations: { content: String(content) } })).digest);
      // A child that a purge takes between is refused by the push of the index, never lost after it.
      await rig.pushIndex('app', one.tag, children).catch((error: unknown) => {
        if (!String(error).includes('MANIFEST_BLOB_UNKNOWN')) throw error;
      });
      return;
    }
    case 'attach': {
      const subject = rig.registry.resolve('app', one.tag)?.digest;
      if (subject !== undefined) await rig.attach('app', subject, `report ${String(one.content)}`);
      return;
    }
    case 'untag':
      await rig.send('DELETE', `/v2/app/manifests/${one.tag}`);
      return;
    case 'wait':
      rig.clock.time += one.hours * hourMs;
      return;
    case 'policies':
      await rig.registry.care.runPolicies();
      return;
    case 'purge':
      await rig.registry.care.purge({ filters: ['app:^pr-'], ago: one.ago, untagged: true }, 'admin');
  }
}

async function checkAll(rig: CareRig): Promise<void> {
  const check = async (reference: string): Promise<void> => {
    const answer = await rig.send('GET', `/v2/app/manifests/${reference}`);
    expect(answer.status).toBe(200);
    const manifest = JSON.parse(await answer.text()) as Record<string, { digest: string }[] & { digest: string }>;
    for (const child of manifest['manifests'] ?? []) await check(child.digest);
    const blobs = [...(manifest['layers'] ?? []), ...(manifest['config'] === undefined ? [] : [manifest['config']])];
    for (const { digest } of blobs) expect((await rig.send('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(200);
  };
  for (const name of rig.registry.listTags('app') ?? []) await check(name);
}

describe('policies and purges among pushes', () => {
  it('leave every tag whole, in any order and at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(act, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (rounds) => {
        const rig = await startCare();
        running.push(rig);
        await rig.set({ retentionPolicy: { status: 'enabled', days: 0 } });
        for (const together of rounds) await Promise.all(together.map((one) => perform(rig, one)));
        await checkAll(rig);
        await rig.stop();
        running.pop();
        expect(rig.errors).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
