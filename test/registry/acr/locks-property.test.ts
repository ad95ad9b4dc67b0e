import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageType, sha } from '../rig.ts';
import { startAcrRig, type AcrRig } from './rig.ts';

/* Whatever is done in whatever order: nothing that is locked at the time changes or goes, and all else does as it would without locks. */

const tags = ['a', 'b'] as const;
type Tag = (typeof tags)[number];
const attributes = ['writeEnabled', 'deleteEnabled'] as const;
type Attribute = (typeof attributes)[number];
type Flags = Record<Attribute, boolean>;

type Step =
  | { readonly do: 'push' | 'untag'; readonly tag: Tag; readonly image: number }
  | { readonly do: 'delete'; readonly image: number }
  | { readonly do: 'delete repository' }
  | {
      readonly do: 'lock';
      readonly at: Tag | number | 'repository';
      readonly attribute: Attribute;
      readonly value: boolean;
    };

const image = fc.integer({ min: 0, max: 1 });
const tag = fc.constantFrom(...tags);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), tag, image }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('untag' as const), tag, image }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), image }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete repository' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('lock' as const),
      at: fc.oneof(tag, image, fc.constant('repository' as const)),
      attribute: fc.constantFrom(...attributes),
      value: fc.boolean(),
    }),
  },
);

const bytes = [0, 1].map((n) =>
  JSON.stringify({ schemaVersion: 2, mediaType: indexType(), manifests: [], annotations: { n: String(n) } }),
);
const digests = bytes.map((one) => sha(one));

function indexType(): string {
  return 'application/vnd.oci.image.index.v1+json';
}

/** What should be there, by the rules alone. */
class Model {
  repository: Flags | undefined;
  readonly manifests = new Map<number, Flags>();
  readonly tags = new Map<Tag, { image: number; flags: Flags }>();

  static free(): Flags {
    return { writeEnabled: true, deleteEnabled: true };
  }

  /** True when the step is to succeed; then it is done. */
  do(one: Step): boolean {
    switch (one.do) {
      case 'push':
        return this.#push(one.tag, one.image);
      case 'untag':
        return this.#may(this.repository, this.tags.get(one.tag)?.flags) && this.tags.delete(one.tag);
      case 'delete':
        return this.#delete(one.image);
      case 'delete repository':
        return this.#deleteRepository();
      case 'lock':
        return this.#lock(one);
    }
  }

  #may(...all: (Flags | undefined)[]): boolean {
    return all.every((flags) => flags?.writeEnabled === true && flags.deleteEnabled);
  }

  #push(name: Tag, number: number): boolean {
    const before = this.tags.get(name);
    if (this.repository?.writeEnabled === false || before?.flags.writeEnabled === false) return false;
    this.repository ??= Model.free();
    if (!this.manifests.has(number)) this.manifests.set(number, Model.free());
    this.tags.set(name, { image: number, flags: before?.flags ?? Model.free() });
    return true;
  }

  #delete(number: number): boolean {
    const own = [...this.tags].filter(([, found]) => found.image === number);
    if (!this.#may(this.repository, this.manifests.get(number), ...own.map(([, { flags }]) => flags))) return false;
    for (const [name] of own) this.tags.delete(name);
    return this.manifests.delete(number);
  }

  #deleteRepository(): boolean {
    const all = [...this.manifests.values(), ...[...this.tags.values()].map(({ flags }) => flags)];
    if (!this.#may(this.repository, ...all)) return false;
    this.repository = undefined;
    this.manifests.clear();
    this.tags.clear();
    return true;
  }

  #lock({ at, attribute, value }: Extract<Step, { do: 'lock' }>): boolean {
    const flags =
      at === 'repository'
        ? this.repository
        : typeof at === 'number'
          ? this.manifests.get(at)
          : this.tags.get(at)?.flags;
    if (flags === undefined) return false;
    flags[attribute] = value;
    return true;
  }
}

async function perform(rig: AcrRig, name: string, one: Step): Promise<boolean> {
  const send = async (method: string, path: string, body?: string): Promise<boolean> => {
    const headers = { 'content-type': method === 'PATCH' ? 'application/json' : indexType() };
    const answer = await rig.send(method, path, body === undefined ? {} : { body, headers });
    await answer.arrayBuffer();
    expect([200, 201, 202, 403, 404]).toContain(answer.status);
    return answer.ok;
  };
  switch (one.do) {
    case 'push':
      return send('PUT', `/v2/${name}/manifests/${one.tag}`, bytes[one.image]);
    case 'untag':
      return send('DELETE', `/acr/v1/${name}/_tags/${one.tag}`);
    case 'delete':
      return send('DELETE', `/v2/${name}/manifests/${digests[one.image] ?? ''}`);
    case 'delete repository':
      return send('DELETE', `/acr/v1/${name}`);
    case 'lock': {
      const below =
        one.at === 'repository'
          ? ''
          : typeof one.at === 'number'
            ? `/_manifests/${digests[one.at] ?? ''}`
            : `/_tags/${one.at}`;
      return send('PATCH', `/acr/v1/${name}${below}`, JSON.stringify({ [one.attribute]: one.value }));
    }
  }
}

async function seen(rig: AcrRig, name: string): Promise<Record<string, string>> {
  const answer = await rig.send('GET', `/acr/v1/${name}/_tags`);
  if (answer.status === 404) return {};
  const { tags: found } = (await answer.json()) as { tags: { name: string; digest: string }[] };
  return Object.fromEntries(found.map((one) => [one.name, one.digest]));
}

describe('locks', () => {
  it('hold in any order of operations', async () => {
    const rig = await startAcrRig();
    let number = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
          const name = `app${String((number += 1))}`;
          const model = new Model();
          for (const one of steps) expect([one, await perform(rig, name, one)]).toEqual([one, model.do(one)]);
          const wanted = [...model.tags].map(([key, found]) => [key, digests[found.image]] as const);
          expect(await seen(rig, name)).toEqual(Object.fromEntries(wanted));
        }),
        { numRuns: 60 },
      );
      expect(rig.errors).toEqual([]);
    } finally {
      await rig.stop();
    }
  }, 60_000);

  it('hold among operations at the same time: what was locked before they began is there after them', async () => {
    const rig = await startAcrRig();
    try {
      await rig.pushImage('app', 'v1');
      const { digest } = await rig.pushImage('app', 'v2');
      await rig.lock('/acr/v1/app/_tags/v1', { deleteEnabled: false, writeEnabled: false });
      const body = await (await rig.send('GET', '/v2/app/manifests/v2')).text();
      const headers = { 'content-type': imageType };
      const storm = Array.from({ length: 40 }, (_, at) =>
        at % 4 === 0
          ? rig.send('PUT', '/v2/app/manifests/v1', { body, headers })
          : at % 4 === 1
            ? rig.send('DELETE', '/v2/app/manifests/v1')
            : at % 4 === 2
              ? rig.send('DELETE', '/acr/v1/app')
              : rig.send('PUT', '/v2/app/manifests/v3', { body, headers }),
      );
      const answers = await Promise.all(storm);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 403]));
      expect(await rig.get('/acr/v1/app/_tags/v1')).toMatchObject({ tag: { name: 'v1' } });
      expect(await rig.get('/acr/v1/app/_tags/v3')).toMatchObject({ tag: { digest } });
    } finally {
      await rig.stop();
    }
  });

  it('set while others push are never half there', async () => {
    const rig = await startAcrRig();
    try {
      await rig.pushImage('app', 'v1');
      const body = await (await rig.send('GET', '/v2/app/manifests/v1')).text();
      const headers = { 'content-type': imageType };
      let isLocked = false;
      const late: number[] = [];
      const push = async (): Promise<void> => {
        for (let times = 0; times < 30; times += 1) {
          const wasLocked = isLocked;
          const { status } = await rig.send('PUT', '/v2/app/manifests/v1', { body, headers });
          if (wasLocked) late.push(status);
        }
      };
      const lock = async (): Promise<void> => {
        await rig.lock('/acr/v1/app/_tags/v1', { writeEnabled: false });
        isLocked = true;
      };
      await Promise.all([push(), push(), push(), lock()]);
      expect(new Set(late)).toEqual(new Set([403]));
      expect(await rig.get('/acr/v1/app/_tags/v1')).toMatchObject({
        tag: { changeableAttributes: { writeEnabled: false } },
      });
    } finally {
      await rig.stop();
    }
  });
});
