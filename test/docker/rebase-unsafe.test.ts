import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCmdStep } from '../../src/domain/step-defaults.ts';
import { line, startRebaseSite, type RebaseRig, type WantedRebase } from '../rebase/rig.ts';

let rig: RebaseRig;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ rig, stop } = await startRebaseSite());
});
afterAll(() => stop());

const files = { a: 'one', b: 'two', 'c/d': 'three', 'c/e/f': 'four' };

interface Unsafe {
  readonly because: string;
  readonly text?: string;
  /** What follows the line and the version in both bases, or in the second. */
  readonly bases?: readonly [string, string];
  readonly change?: Partial<WantedRebase>;
}

const usual = 'FROM $R/BASE\nCOPY a /app/a';
const stepBefore = createCmdStep('before', 'busybox', { arguments: ['true'] });

const unsafe: Readonly<Record<string, Unsafe>> = {
  'an instruction that runs in the base': {
    text: 'FROM $R/BASE\nRUN true',
    because: 'line 2 of the Dockerfile is a RUN',
  },
  'an instruction that runs, in a stage below': {
    text: 'FROM $R/BASE AS a\nRUN true\nFROM a\nCOPY a /a',
    because: 'line 2 of the Dockerfile is a RUN',
  },
  'files for a user by name': {
    text: 'FROM $R/BASE\nCOPY --chown=root a /a',
    because: 'line 2 of the Dockerfile gives files to root',
  },
  'a directory for a user by name': {
    text: 'FROM $R/BASE\nUSER somebody\nWORKDIR /home',
    bases: ['RUN echo somebody:x:7:7::/:/bin/sh >> /etc/passwd', 'RUN echo somebody:x:8:8::/:/bin/sh >> /etc/passwd'],
    because: "makes a directory for somebody, whose number is the base's",
  },
  'an ONBUILD of its own': { text: `${usual}\nONBUILD COPY a /b`, because: 'line 3 of the Dockerfile is an ONBUILD' },
  'a base that asks for more': { bases: ['', 'ONBUILD COPY a /b'], because: 'the new base has ONBUILD instructions' },
  'a path out of the environment of the base': {
    text: 'FROM $R/BASE\nCOPY a /srv/$PLACE/',
    bases: ['ENV PLACE=one', 'ENV PLACE=two'],
    because: 'line 2 of the Dockerfile uses the environment of the base',
  },
  'a variable made of one of the base': {
    text: 'FROM $R/BASE\nENV MORE=$PLACE:more',
    bases: ['ENV PLACE=one', 'ENV PLACE=two'],
    because: 'line 2 of the Dockerfile uses the environment of the base',
  },
  'the working directory of the base': {
    text: 'FROM $R/BASE\nCOPY a a',
    bases: ['WORKDIR /one', 'WORKDIR /two'],
    because: 'the Dockerfile uses the working directory of the base, which has changed',
  },
  'a shell of the base': {
    text: 'FROM $R/BASE\nCMD echo hello',
    bases: ['', 'SHELL ["/bin/sh", "-ec"]'],
    because: 'a command of the Dockerfile uses the shell of the base',
  },
  'a directory that has become a link': {
    text: 'FROM $R/BASE\nCOPY a /place/a',
    bases: ['RUN mkdir /place', 'RUN ln -s /srv /place'],
    because: 'line 2 of the Dockerfile writes to /place/a, and /place is a link in a base',
  },
  'a directory that only the new base has, with rights of its own': {
    text: 'FROM $R/BASE\nWORKDIR /more',
    bases: ['', 'RUN mkdir -m 700 /more'],
    because: 'and /more is not the same in the new base',
  },
  'a directory that has changed below a copied one': {
    text: 'FROM $R/BASE\nCOPY c /tree',
    bases: ['RUN mkdir -p /tree/e', 'RUN mkdir -p /tree/e && chmod 700 /tree/e'],
    because: 'and /tree/e is not the same in the new base',
  },
  'a directory of the base in place of a file': {
    text: 'FROM $R/BASE\nCOPY a /place',
    bases: ['', 'RUN mkdir /place'],
    because: 'and /place is not the same in the new base',
  },
  'another line': {
    bases: ['LABEL dev.slipway.base-line=a', 'LABEL dev.slipway.base-line=b'],
    because: 'of the line "b"',
  },
  'no line': { bases: ['', 'LABEL dev.slipway.base-line='], because: 'set the label dev.slipway.base-line' },
  'a base that is pinned': { text: 'FROM $R/BASE@DIGEST\nCOPY a /a', because: 'its base is pinned by a digest' },
  'a base from elsewhere': {
    text: 'FROM busybox\nCOPY a /a',
    because: 'on which digest of its base the image was built',
  },
  'an image that nobody knows': { change: { made: [] }, because: 'no earlier run is known to have made it' },
  'another Dockerfile': {
    change: { text: 'FROM $R/BASE\nCOPY b /app/a' },
    because: 'the Dockerfile, or how it is built, has changed',
  },
  'another argument': {
    change: { step: { arguments: [{ name: 'V', value: '2', isSecret: false }] } },
    because: 'the Dockerfile, or how it is built, has changed',
  },
  'no cache': { change: { step: { noCache: true } }, because: 'the step asks for a build without cache' },
  'a step before that can change the files': {
    change: { tests: [stepBefore] },
    because: 'step before can change the files',
  },
};

describe('an image is not put on a new base but built, and why is said, for', () => {
  it.each(Object.entries(unsafe))('%s', async (name, { text = usual, bases = ['', ''], change, because }) => {
    const id = `unsafe-${Object.keys(unsafe).indexOf(name)}`;
    const base = `${id}-base:1`;
    const digest = await rig.publishBase(base, `${line}\nRUN echo one > /version\n${bases[0]}`);
    const fill = (one: string): string => one.replace('@DIGEST', `@${digest}`).replace('BASE', base);
    const wanted = { name: `${id}:v1`, text: fill(text), files };
    const { found } = await rig.build(wanted);
    await rig.publishBase(base, `${line}\nRUN echo two > /version\n${bases[1]}`);
    const changed = { ...wanted, made: found, ...change, ...(change?.text && { text: fill(change.text) }) };
    const { text: said, outcome } = await rig.rebase(changed);
    expect(said).toMatch(/^not rebased: .*; building$/m);
    expect(said).toContain(because);
    expect(outcome).toMatchObject({ kind: 'succeeded' });
  });

  it.each([
    ['where the copy goes', '/all', ['true', 'echo > /all']],
    ['below', '/all/e', ['mkdir /all', 'mkdir /all && echo > /all/e']],
  ] as const)('a file in place of a directory of the image, %s, and the build fails', async (name, place, runs) => {
    const id = `file-${name.replaceAll(' ', '-')}`;
    const wanted = { name: `${id}:v1`, text: `FROM $R/${id}-base:1\nCOPY c /all/`, files };
    await rig.publishBase(`${id}-base:1`, `${line}\nRUN ${runs[0]}`);
    const { found } = await rig.build(wanted);
    await rig.publishBase(`${id}-base:1`, `${line}\nRUN ${runs[1]}`);
    const { text: said, outcome } = await rig.rebase({ ...wanted, made: found });
    expect(said).toContain(
      `the image has a directory ${place}, and what is there is not the same in the new base; building`,
    );
    expect(outcome.kind).toBe('failed');
  });

  it('files of an image that has changed', async () => {
    const text = 'FROM $R/tool:1 AS tool\nRUN cp /version /made\nFROM $R/from-base:1\nCOPY --from=tool /made /a';
    const wanted = { name: 'from:v1', text, files };
    for (const base of ['tool:1', 'from-base:1']) await rig.publishBase(base, `${line}\nRUN echo one > /version`);
    const { found } = await rig.build(wanted);
    await rig.publishBase('from-base:1', `${line}\nRUN echo two > /version`);
    const rebased = await rig.rebase({ ...wanted, made: found });
    expect(rebased.text).toContain('no build');
    for (const base of ['tool:1', 'from-base:1']) await rig.publishBase(base, `${line}\nRUN echo three > /version`);
    const built = await rig.rebase({ ...wanted, made: rebased.found });
    expect(built.text).toMatch(/not rebased: files come from \S+\/tool:1, which has changed; building/);
  });
});
