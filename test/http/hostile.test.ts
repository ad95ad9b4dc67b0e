import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRequest, startRig } from './rig.ts';

const fields = [
  ...['type', 'imageNames', 'isPushEnabled', 'noCache', 'dockerFilePath', 'target', 'arguments', 'isArchiveEnabled'],
  ...[
    'agentPoolName',
    'timeout',
    'platform',
    'agentConfiguration',
    'sourceLocation',
    'credentials',
    '__proto__',
    'constructor',
  ],
];

/** JSON that looks like a run request from afar. */
const hostileBody = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true }),
  fc
    .dictionary(fc.constantFrom(...fields), fc.oneof(fc.jsonValue(), fc.string(), fc.integer(), fc.array(fc.string())))
    .map((change) => ({ ...buildRequest(), ...change })),
  fc
    .array(fc.record({ name: fc.string(), value: fc.string(), isSecret: fc.boolean() }))
    .map((args) => buildRequest({ arguments: args })),
  fc.array(fc.string()).map((imageNames) => buildRequest({ imageNames })),
  fc.string().map((dockerFilePath) => buildRequest({ dockerFilePath })),
);

describe('hostile input', () => {
  it('to scheduleRun is either a run or a document that says what is wrong, never our fault', async () => {
    const rig = await startRig();
    await fc.assert(
      fc.asyncProperty(hostileBody, async (body) => {
        const { status, body: answer } = await rig.api('POST', '/scheduleRun', JSON.stringify(body));
        if (status === 200) {
          expect(answer.properties.status).toBe('Queued');
          return;
        }
        expect([400, 409]).toContain(status);
        expect(answer.error.code).toMatch(/^[A-Z]\w+$/);
        expect(answer.error.message.length).toBeGreaterThan(5);
      }),
      { numRuns: 300 },
    );
    expect(rig.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('that is no JSON is refused, whatever the bytes', async () => {
    const rig = await startRig();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (text) => {
        const { status, body } = await rig.api('POST', '/scheduleRun', text);
        expect(status).toBe(400);
        expect(body.error.code).toBe('InvalidRequest');
      }),
      { numRuns: 100 },
    );
  });

  it('deep or wide beyond reason costs no more than its megabyte', async () => {
    const rig = await startRig();
    const deep = `{"type":"DockerBuildRequest","credentials":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    const wide = JSON.stringify(buildRequest({ arguments: Array(40_000).fill({ nmae: 'x' }) }));
    const names = JSON.stringify(buildRequest({ imageNames: Array(100_000).fill('A') }));
    for (const body of [deep, wide, names]) {
      const from = performance.now();
      const answer = await rig.api('POST', '/scheduleRun', body);
      expect(answer.status).toBe(400);
      expect(performance.now() - from).toBeLessThan(2000);
    }
  });

  it('in paths, queries and headers never makes it fail', async () => {
    const rig = await startRig();
    const text = fc.string({ unit: 'binary-ascii', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, text, text, async (id, query, sig) => {
        const part = encodeURIComponent(id);
        const answers = await Promise.all([
          rig.api('GET', `/runs/${part}`),
          rig.api('GET', `/runs?$filter=${encodeURIComponent(query)}&$skiptoken=${encodeURIComponent(sig)}`),
          rig.api('POST', `/runs/${part}/cancel`),
          fetch(`${rig.url}/uploads/source/${part}/x?sig=${encodeURIComponent(sig)}`, { method: 'PUT', body: 'x' }),
          fetch(`${rig.url}/logs/${part}/rawtext.log?sig=${encodeURIComponent(sig)}`),
        ]);
        for (const { status } of answers) expect(status).toBeLessThan(500);
      }),
      { numRuns: 60 },
    );
  });
});
