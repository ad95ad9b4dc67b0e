import { expect } from 'vitest';
import { bytesOf, imageOf, sha, type TestClient, type TestImage } from './registry-storm.ts';

/** Random numbers that are the same each time. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A layer that all repositories have. */
export const baseLayer = bytesOf('base', 40_000);

/** The images that a repository gets again and again. */
export function imagesFor(repository: string): TestImage[] {
  return Array.from({ length: 8 }, (_, n) => {
    const seed = `${repository} ${String(n)}`;
    return imageOf([
      Buffer.from(`{"seed":"${seed}"}`),
      baseLayer,
      bytesOf(seed, 1000 + n * 9000),
      bytesOf(String(n), 3000),
    ]);
  });
}

const tags = ['a', 'b', 'c', 'd'];

/** What one repository may hold after what was asked and acknowledged; one client at a time works on it. */
export class RepositoryModel {
  readonly repository: string;
  /** Pushes that were acknowledged. */
  pushes = 0;
  /** Answers that nobody should get. */
  readonly faults: string[] = [];
  readonly #images: TestImage[];
  readonly #random: (below: number) => number;
  /** By tag: digests that it may stand for; '' for none. */
  readonly #may = new Map<string, Set<string>>(tags.map((tag) => [tag, new Set([''])]));

  constructor(repository: string, seed: number) {
    this.repository = repository;
    this.#images = imagesFor(repository);
    this.#random = createRandom(seed);
  }

  /** Pushes and deletes until a connection breaks, or `isOver`. */
  async work(client: TestClient, isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) await this.#step(client);
    } catch {
      // the process was killed
    }
  }

  /** Compares all of it, byte for byte; whatever is found counts from now on. */
  async verify(client: TestClient): Promise<void> {
    for (const [tag, may] of this.#may) {
      const { status, body } = await client.ask('GET', `/v2/${this.repository}/manifests/${tag}`);
      const image = this.#images.find(({ manifest }) => manifest.equals(body));
      const found = status === 404 ? '' : (image?.digest ?? `status ${String(status)}`);
      if (!may.has(found)) throw new Error(`${this.repository}:${tag} is "${found}", not ${[...may].join(' or ')}`);
      this.#may.set(tag, new Set([found]));
      for (const part of image?.parts ?? []) {
        const got = await client.ask('GET', `/v2/${this.repository}/blobs/${sha(part)}`);
        if (got.status !== 200 || !got.body.equals(part))
          throw new Error(`a layer of ${this.repository}:${tag} is lost`);
      }
    }
    expect(this.faults).toEqual([]);
  }

  async #step(client: TestClient): Promise<void> {
    const tag = tags[this.#random(tags.length)] ?? '';
    const kind = this.#random(10);
    if (kind < 6) await this.#push(client, tag);
    else if (kind < 7) await this.#deleteTag(client, tag);
    else if (kind < 9) await this.#deleteManifest(client);
    else await client.pushBlob(this.repository, bytesOf(`loose ${String(this.#random(20))}`, 2000));
  }

  async #push(client: TestClient, tag: string): Promise<void> {
    const image = this.#images[this.#random(this.#images.length)];
    if (image === undefined) return;
    const mount = `/v2/${this.repository}/blobs/uploads/?mount=${sha(baseLayer)}&from=base`;
    this.#note((await client.ask('POST', mount)).status, 'mount', client);
    this.#may.get(tag)?.add(image.digest);
    const status = await client.pushImage(this.repository, tag, image);
    this.#note(status, `push of ${tag}`, client);
    if (status !== 201) return;
    this.pushes += 1;
    this.#may.set(tag, new Set([image.digest]));
  }

  async #deleteTag(client: TestClient, tag: string): Promise<void> {
    this.#may.get(tag)?.add('');
    const { status } = await client.ask('DELETE', `/v2/${this.repository}/manifests/${tag}`);
    if (status !== 404) this.#note(status, 'deletion of a tag', client);
    if (status === 202 || status === 404) this.#may.set(tag, new Set(['']));
  }

  async #deleteManifest(client: TestClient): Promise<void> {
    const { digest = '' } = this.#images[this.#random(this.#images.length)] ?? {};
    const those = [...this.#may.values()].filter((may) => may.has(digest));
    for (const may of those) may.add('');
    const { status } = await client.ask('DELETE', `/v2/${this.repository}/manifests/${digest}`);
    if (status !== 404) this.#note(status, 'deletion of a manifest', client);
    if (status === 202 || status === 404) for (const may of those) may.delete(digest);
  }

  #note(status: number, what: string, { refusal }: TestClient): void {
    if (status >= 300) this.faults.push(`${what} in ${this.repository}: ${String(status)} ${refusal}`);
  }
}
