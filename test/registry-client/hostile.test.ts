import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { readChallenge } from '../../src/registry-client/challenge.ts';
import { copyImage } from '../../src/registry-client/copy/copy.ts';
import { readParts } from '../../src/registry-client/copy/parts.ts';
import { mediaTypes, sha256Of } from '../../src/registry-client/documents.ts';
import { openClients, startServer } from './rig.ts';
import { createMemoryEnd } from './copy-rig.ts';

const descriptor = fc.oneof(
  fc.json(),
  fc.record({
    mediaType: fc.oneof(fc.constantFrom(...Object.values(mediaTypes)), fc.string()),
    digest: fc.oneof(fc.constant(sha256Of(Buffer.from('x'))), fc.string()),
    size: fc.oneof(fc.integer(), fc.double(), fc.string()),
  }),
);
const manifest = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      mediaType: fc.oneof(fc.constantFrom(...Object.values(mediaTypes)), fc.string()),
      schemaVersion: fc.constantFrom(1, 2, '2', null),
      config: descriptor,
      layers: fc.oneof(fc.array(descriptor), fc.jsonValue()),
      manifests: fc.oneof(fc.array(descriptor), fc.jsonValue()),
      subject: descriptor,
    },
    { requiredKeys: [] },
  ),
);

describe('what a hostile registry sends', () => {
  it('as a challenge is read, or is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `Bearer realm="https://a.test",${text}`),
        ),
        (header) => {
          const challenge = readChallenge(header);
          if (challenge?.kind === 'bearer') expect(URL.canParse(challenge.realm)).toBe(true);
        },
      ),
    );
  });

  it('as a manifest is copied or refused, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(manifest, fc.constantFrom(...Object.values(mediaTypes), ''), async (fields, mediaType) => {
        const bytes = Buffer.from(JSON.stringify(fields));
        const document = { digest: sha256Of(bytes), mediaType, bytes };
        try {
          readParts(document, 'it');
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
        }
        const [from, to] = [createMemoryEnd('a'), createMemoryEnd('b')];
        from.manifests.set(document.digest, document);
        from.addBlob('x');
        const platforms = bytes.length % 2 === 0 ? undefined : ['linux/amd64'];
        const copied = copyImage(from, to, { reference: document.digest, tag: 'v1', platforms });
        const isRefused = await copied.then(
          () => false,
          (error: unknown) => error instanceof FailureError,
        );
        expect(isRefused).toBe(to.tags.size === 0);
      }),
    );
  });

  it('as answers never does more than make the client reject with a refusal', async () => {
    let next: { status: number; headers: Record<string, string>; body: string } = {
      status: 200,
      headers: {},
      body: '',
    };
    const fake = await startServer((_, response) => response.writeHead(next.status, next.headers).end(next.body));
    const value = fc.stringMatching(/^[\x21-\x7e]{0,20}$/);
    const header = fc.constantFrom(
      'location',
      'link',
      'range',
      'docker-content-digest',
      'www-authenticate',
      'retry-after',
    );
    const answers = fc.record({
      status: fc.constantFrom(200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 416, 429, 500),
      headers: fc.dictionary(header, fc.oneof(value, fc.constantFrom('/v2/x', 'http://10.0.0.1/', 'Bearer realm="x"'))),
      body: fc.oneof(fc.json(), fc.string()),
    });
    const client = openClients([{ userName: 'a', password: 'pa55word' }], { tries: 1 }).clients.at(fake.host);
    const digest = sha256Of(Buffer.from('x'));
    const bytes = Buffer.from('x');
    const calls = [
      () => client.resolve('app', 'v1'),
      () => client.manifest('app', digest),
      () => client.tags('app'),
      () => client.referrers('app', digest),
      () => client.smallBlob('app', digest),
      () => client.putBlob('app', { digest, bytes }),
      () => client.mount('app', digest, 'other'),
    ];
    await fc.assert(
      fc.asyncProperty(answers, fc.constantFrom(...calls), async (answer, call) => {
        next = answer;
        const error = await call().then(
          () => undefined,
          (failed: unknown) => failed,
        );
        if (error === undefined) return;
        expect(error).toBeInstanceOf(FailureError);
        expect((error as FailureError).failure.reason).not.toBe('internal');
        expect((error as FailureError).message).not.toContain('pa55word');
      }),
      { numRuns: 500 },
    );
  });
});
