import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from './rig.ts';

let running: RunningRegistry | undefined;
afterEach(async () => {
  await running?.stop();
  expect(running?.errors ?? []).toEqual([]);
  running = undefined;
});

/** A few manifests that are about each other, and the names under which they are pushed and deleted. */
const repositories = ['one', 'one/two', 'three'] as const;
const tags = ['v1', 'v1-x', 'latest'] as const;
const subject = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
const manifests = ['a', 'b', 'c'].map((name) =>
  JSON.stringify({
    ...{ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { name } },
    ...(name !== 'a' && { subject: descriptor(indexType, subject), artifactType: `application/x.${name}` }),
  }),
);
manifests.push(subject);

/** What a registry is, in a few lines: digests and tags of each repository. */
class Model {
  readonly #held = new Map<string, { readonly digests: Set<string>; readonly tags: Map<string, string> }>();

  of(repository: string): { digests: Set<string>; tags: Map<string, string> } {
    const found = this.#held.get(repository) ?? { digests: new Set(), tags: new Map() };
    this.#held.set(repository, found);
    return found;
  }

  put(repository: string, bytes: string, asTags: readonly string[]): void {
    const { digests, tags: held } = this.of(repository);
    digests.add(sha(bytes));
    for (const tag of asTags) held.set(tag, sha(bytes));
  }

  /** True when there was something. */
  remove(repository: string, reference: string): boolean {
    const { digests, tags: held } = this.of(repository);
    if (!reference.startsWith('sha256:')) return held.delete(reference);
    for (const [tag, digest] of held) if (digest === reference) held.delete(tag);
    return digests.delete(reference);
  }

  isThere(repository: string): boolean {
    return this.#held.has(repository);
  }
}

type Step =
  | { readonly do: 'put'; readonly repository: string; readonly bytes: string; readonly tags: readonly string[] }
  | { readonly do: 'delete'; readonly repository: string; readonly reference: string }
  | { readonly do: 'restart' };

const repository = fc.constantFrom(...repositories);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      repository,
      bytes: fc.constantFrom(...manifests),
      tags: fc.subarray([...tags]),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      repository,
      reference: fc.constantFrom(...tags, ...manifests.map((bytes) => sha(bytes))),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

async function take(model: Model, now: RunningRegistry, next: Step): Promise<void> {
  if (next.do === 'put') {
    const query = next.tags.map((tag) => `tag=${tag}`).join('&');
    const path = `/v2/${next.repository}/manifests/${sha(next.bytes)}?${query}`;
    const answer = await now.send('PUT', path, { body: next.bytes, headers: { 'content-type': indexType } });
    expect(answer.status).toBe(201);
    model.put(next.repository, next.bytes, next.tags);
  } else if (next.do === 'delete') {
    const answer = await now.send('DELETE', `/v2/${next.repository}/manifests/${next.reference}`);
    expect(answer.status).toBe(
      model.isThere(next.repository) && model.remove(next.repository, next.reference) ? 202 : 404,
    );
  }
}

async function compare(model: Model, now: RunningRegistry): Promise<void> {
  const there = repositories.filter((name) => model.isThere(name));
  for (const name of there) {
    const { digests, tags: held } = model.of(name);
    const { tags: listed } = (await (await now.send('GET', `/v2/${name}/tags/list`)).json()) as { tags: string[] };
    expect(listed).toEqual([...held.keys()].sort());
    for (const [tag, digest] of held) expect(now.registry.resolve(name, tag)?.digest).toBe(digest);
    for (const bytes of manifests) {
      const answer = await now.send('GET', `/v2/${name}/manifests/${sha(bytes)}`);
      expect([answer.status, (await answer.text()) === bytes]).toEqual(
        digests.has(sha(bytes)) ? [200, true] : [404, false],
      );
    }
    const referrers = await now.send('GET', `/v2/${name}/referrers/${sha(subject)}`);
    const found = ((await referrers.json()) as { manifests: { digest: string }[] }).manifests.map(
      ({ digest }) => digest,
    );
    const expected = manifests
      .slice(1, 3)
      .map((bytes) => sha(bytes))
      .filter((digest) => digests.has(digest));
    expect(found.sort()).toEqual(expected.sort());
  }
  const full = there.filter((name) => model.of(name).digests.size > 0);
  expect(now.registry.listRepositories()).toEqual([...full].sort());
}

describe('whatever is pushed and deleted, and however often the registry is started anew', () => {
  it('it holds what was pushed last and not deleted since', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const storage = createMemoryBlobStore(() => 0);
        running = await startRegistry({ storage });
        const model = new Model();
        for (const next of steps) {
          if (next.do === 'restart') {
            await running.stop();
            running = await startRegistry({ storage });
          } else await take(model, running, next);
        }
        await compare(model, running);
        await running.stop();
        running = await startRegistry({ storage });
        await compare(model, running);
        expect(running.errors).toEqual([]);
        await running.stop();
        running = undefined;
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe('whatever is asked of an upload', () => {
  const chunk = fc.record({
    do: fc.constantFrom('patch', 'put', 'put', 'get', 'delete', 'wrong digest'),
    bytes: fc.integer({ min: 0, max: 40 }),
    /** How far from the right place Content-Range begins; undefined: there is none. */
    off: fc.option(fc.constantFrom(0, 0, 0, 1, -1, 1000), { nil: undefined }),
    /** How much longer than the body it says that it is. */
    longer: fc.constantFrom(0, 0, 0, 0, 1),
  });

  it('it answers as its bytes and ranges demand, and what is closed is what was sent', async () => {
    const now = (running = await startRegistry());
    let made = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 9 }), async (chunks) => {
        let location = (await now.send('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
        let sent = '';
        let isOver = false;
        for (const { do: what, bytes, off, longer } of chunks) {
          const body = `${String((made += 1))}${'x'.repeat(bytes)}`.slice(0, bytes);
          const start = sent.length + (off ?? 0);
          const hasRange = off !== undefined && start >= 0 && bytes > 0;
          const isRight = !hasRange || (off === 0 && longer === 0);
          const range = `${String(start)}-${String(start + bytes - 1 + longer)}`;
          const more = { body, headers: hasRange ? { 'content-range': range } : {} };
          if (what === 'get') {
            const answer = await now.send('GET', location);
            expect(answer.status).toBe(isOver ? 404 : 204);
            if (!isOver) expect(answer.headers.get('range')).toBe(`0-${String(Math.max(0, sent.length - 1))}`);
          } else if (what === 'delete') {
            expect((await now.send('DELETE', location)).status).toBe(isOver ? 404 : 204);
            isOver = true;
          } else if (what === 'patch') {
            const answer = await now.send('PATCH', location, more);
            expect(answer.status).toBe(isOver ? 404 : isRight ? 202 : 416);
            if (answer.status === 202) {
              location = answer.headers.get('location') ?? '';
              sent += body;
            }
          } else {
            const digest = sha(what === 'put' ? sent + body : `${sent}${body}!`);
            const answer = await now.send('PUT', `${location}?digest=${digest}`, more);
            const expected: number = isOver ? 404 : !isRight ? 416 : what === 'put' ? 201 : 400;
            expect(answer.status).toBe(expected);
            if (expected === 201) {
              expect(await (await now.send('GET', answer.headers.get('location') ?? '')).text()).toBe(sent + body);
            }
            isOver ||= expected === 201 || expected === 400;
          }
        }
        if (!isOver) expect((await now.send('DELETE', location)).status).toBe(204);
      }),
      { numRuns: 120 },
    );
    expect(await now.storage.listStaged('')).toEqual([]);
  }, 60_000);
});

describe('many at the same time', () => {
  it('pushing to one tag leave it at one of theirs, and none of them is refused', async () => {
    running = await startRegistry();
    const now = running;
    const bodies = Array.from({ length: 60 }, (_, n) =>
      JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { n: String(n) } }),
    );
    const answers = await Promise.all(
      bodies.map((body) => now.send('PUT', '/v2/app/manifests/v1', { body, headers: { 'content-type': indexType } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const digest = now.registry.resolve('app', 'v1')?.digest ?? '';
    expect(bodies.map((body) => sha(body))).toContain(digest);
    for (const body of bodies) expect(now.registry.resolve('app', sha(body))).toBeDefined();
    expect(now.registry.listTags('app')).toEqual(['v1']);
  });

  it('pushing and deleting the same manifest end in either, with tag and manifest together', async () => {
    running = await startRegistry();
    const now = running;
    const image = await now.pushImage('app', 'v1');
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          n % 2 === 0
            ? now.send('DELETE', `/v2/app/manifests/${image.digest}`)
            : now.send('PUT', '/v2/app/manifests/v1', { body: image.bytes, headers: { 'content-type': imageType } }),
        ),
      );
      for (const { status } of answers) expect([201, 202, 404]).toContain(status);
      const [byTag, byDigest] = ['v1', image.digest].map((reference) => now.registry.resolve('app', reference));
      expect(byTag?.digest).toBe(byDigest?.digest);
    }
  });
});
