import { describe, expect, it } from 'vitest';
import type { RegistryCredential } from '../../../src/domain/run-request.ts';
import { createEgress } from '../../../src/egress/egress.ts';
import { createForeignRegistries } from '../../../src/patch/poll/foreign-registries.ts';
import { createOperatorAsk } from '../../../src/patch/poll/operator-credentials.ts';
import { createSender } from '../../../src/registry-client/sender.ts';
import { createRegistrySession } from '../../../src/registry-client/session.ts';
import { anImage, digestOf, startFake, testClock } from './rig.ts';

const good = { userName: 'bot', password: 'good' };
const bad = { userName: 'bot', password: 'bad' };
const own = { userName: 'task', password: 'own' };

function basic({ userName, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
}

interface RegistryRules {
  /** Who may read. */
  readonly lets: RegistryCredential[];
  /** Strangers may read what they have a token for. */
  readonly isPublic?: boolean;
}

/** A registry with passwords, or one with tokens where strangers may read; and a client with what an operator has set. */
async function open(rules: RegistryRules, tasks: readonly RegistryCredential[] = []) {
  const tried: string[] = [];
  const fake = await startFake(({ path, headers: { authorization } }, response) => {
    const who = rules.lets.find((one) => basic(one) === authorization);
    if (authorization?.startsWith('Basic ') === true) tried.push(authorization);
    if (path.startsWith('/token')) {
      const isFit = authorization === undefined || who !== undefined;
      response.writeHead(isFit ? 200 : 401).end(JSON.stringify({ token: 't', expires_in: 60 }));
    } else if (who !== undefined || (rules.isPublic === true && authorization === 'Bearer t'))
      response.writeHead(200, { 'docker-content-digest': digestOf('a') }).end();
    else {
      const asks = rules.isPublic ? `Bearer realm="http://${fake.host}/token",service="s"` : 'Basic realm="r"';
      response.writeHead(401, { 'www-authenticate': asks }).end();
    }
  });
  const set = new Map<string, RegistryCredential>();
  const told: string[] = [];
  const clock = testClock();
  const sender = createSender({ egress: createEgress({ allow: ['127.0.0.1'] }), field: 'image' });
  const ask = createOperatorAsk({
    sealedFor: async (registry) => (set.has(registry) ? JSON.stringify(set.get(registry)) : undefined),
    open: (_registry, sealed) => {
      const opened = JSON.parse(sealed) as RegistryCredential;
      if (opened.userName === 'sealed by another key') throw new Error('another key');
      return opened;
    },
    openSession: () => createRegistrySession({ sender, clock }),
    onUnusable: (registry) => told.push(`unusable: ${registry}`),
    onRefused: (registry, status) => told.push(`refused: ${registry} ${String(status)}`),
  });
  const registries = createForeignRegistries({ ask, credentialsFor: async () => tasks, clock });
  const head = async (repository = 'team/base') =>
    (await registries.headTag(anImage(`${fake.host}/${repository}:1`), [])).kind;
  return { host: fake.host, set, tried, told, clock, head };
}

describe('a registry that wants a password', () => {
  it('is asked with the one that the operator has set for it, as soon as it is set, and not after it was taken away', async () => {
    const { host, set, head, told } = await open({ lets: [good] });
    expect(await head()).toBe('refused');
    set.set(host, good);
    expect([await head(), await head()]).toEqual(['found', 'found']);
    set.delete(host);
    expect(await head()).toBe('refused');
    expect(told).toEqual([]);
  });

  it('is asked with a task’s own first, and with no password twice', async () => {
    const first = await open({ lets: [own, good] }, [own]);
    first.set.set(first.host, good);
    expect(await first.head()).toBe('found');
    expect(first.tried).toEqual([basic(own)]);
    const second = await open({ lets: [good] }, [own, good]);
    second.set.set(second.host, good);
    expect(await second.head()).toBe('found');
    expect(second.tried).toEqual([basic(own), basic(good)]);
  });

  it('that takes none is told of once, until another is set, and its answer stands', async () => {
    const { host, set, head, told, tried } = await open({ lets: [good] });
    set.set(host, bad);
    expect([await head(), await head('team/other')]).toEqual(['refused', 'refused']);
    expect(told).toEqual([`refused: ${host} 401`]);
    set.set(host, { ...bad, password: 'worse' });
    expect(await head()).toBe('refused');
    expect(told).toHaveLength(2);
    expect(tried).toHaveLength(3);
    expect(told.join()).not.toMatch(/bad|worse/);
  });

  it('is asked as by a stranger where what is set cannot be opened, which is told once', async () => {
    const { host, set, head, told } = await open({ lets: [good] });
    set.set(host, { userName: 'sealed by another key', password: '' });
    expect([await head(), await head()]).toEqual(['refused', 'refused']);
    expect(told).toEqual([`unusable: ${host}`]);
  });

  it('gets no password that is for another', async () => {
    const { set, head, tried } = await open({ lets: [good] });
    set.set('docker.io', good);
    expect(await head()).toBe('refused');
    expect(tried).toEqual([]);
  });
});

describe('a registry that shows some things to strangers', () => {
  it('goes on being asked, as by a stranger, when it refuses what is set for it', async () => {
    const { host, set, head, told, tried, clock } = await open({ lets: [good], isPublic: true });
    set.set(host, bad);
    expect([await head(), await head()]).toEqual(['found', 'found']);
    expect([told, tried]).toEqual([[`refused: ${host} 401`], [basic(bad)]]);
    clock.advance(120_000);
    expect(await head()).toBe('found');
    expect([told.length, tried.length]).toEqual([1, 2]);
  });
});
