import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCmdStep, createPlan } from '../../src/domain/step-defaults.ts';
import type { CmdStep, StepId } from '../../src/domain/step.ts';
import { commandOf } from '../../src/runner/docker/command.ts';
import { createOutputReader } from '../../src/runner/docker/container-output.ts';
import { findMeeting } from '../../src/runner/docker/meeting.ts';
import { publishPorts } from '../../src/runner/docker/published-ports.ts';
import { parseBytes, parseCpus } from '../../src/runner/docker/quantities.ts';
import { recordIo } from './rig.ts';

describe('published ports', () => {
  const local = (port: string) => [{ HostIp: '127.0.0.1', HostPort: port }];
  it.each<[string, object]>([
    ['80', { '80/tcp': local('') }],
    ['8080:80', { '80/tcp': local('8080') }],
    ['8080:80/udp', { '80/udp': local('8080') }],
    ['0.0.0.0:8080:80', { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] }],
    ['10.1.2.3::80', { '80/tcp': [{ HostIp: '10.1.2.3', HostPort: '' }] }],
    ['[::1]:8080:80', { '80/tcp': [{ HostIp: '::1', HostPort: '8080' }] }],
    ['8000-8001:80-81', { '80/tcp': local('8000'), '81/tcp': local('8001') }],
    ['8000-8009:80', { '80/tcp': local('8000-8009') }],
  ])('%s', (text, bindings) => {
    expect(publishPorts([text], [], undefined).bindings).toEqual(bindings);
  });

  it.each(['', 'http', '0', '70000', '80/icmp', '81-80', '1:2:3:4', '8000-8002:80-81', 'x:80'])('refuse %j', (text) => {
    expect(() => publishPorts([text], [], undefined)).toThrow('is no port');
  });

  it('are those of the image too when all are wanted', () => {
    const { exposed, bindings } = publishPorts(['1:80'], ['90'], ['80/tcp', '70/udp']);
    expect(Object.keys(exposed).sort()).toEqual(['70/udp', '80/tcp', '90/tcp']);
    expect(bindings).toEqual({ '80/tcp': local('1'), '70/udp': local(''), '90/tcp': local('') });
  });
});

describe('quantities', () => {
  it.each([
    ['512m', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['64KiB', 65536],
    ['10', 10],
  ])('%s', (text, bytes) => {
    expect(parseBytes(text, 'memory')).toBe(bytes);
  });

  it.each(['', 'm', '-1m', '1x', '1 2'])('refuse the size %j', (text) => {
    expect(() => parseBytes(text, 'memory')).toThrow('memory must be a size');
  });

  it('take parts of processors, and nothing else', () => {
    expect([parseCpus('0.5'), parseCpus('.25'), parseCpus('2')]).toEqual([5e8, 2.5e8, 2e9]);
    for (const text of ['', '0', '-1', 'all', '1e9']) expect(() => parseCpus(text)).toThrow('cpus must be');
  });
});

describe('the command of a container', () => {
  const image = { id: 'sha256:1', entryPoint: ['/entry', 'a b'], command: ['serve'], exposed: [] };
  const step = (given: Partial<Omit<CmdStep, 'kind' | 'id'>>) => createCmdStep('s', 'image', given);

  it('is that of the image where the step says nothing', () => {
    expect(commandOf(step({}), image)).toEqual({});
  });

  it('puts the words of the entry point, as they are, before a script that begins with its arguments', () => {
    const shell = { script: 'run | cat', startsWithEntryPoint: true };
    const Entrypoint = ['/bin/sh', '-c'];
    expect(commandOf(step({ arguments: ['run'], shell }), image)).toEqual({
      Entrypoint,
      Cmd: ["/entry 'a b' run | cat"],
    });
    const own = step({ arguments: ['run'], shell, entryPoint: "it's" });
    expect(commandOf(own, image)).toEqual({ Entrypoint, Cmd: ["'it'\\''s' run | cat"] });
  });

  it("puts the image's own command before a script without arguments", () => {
    const shell = { script: '| cat', startsWithEntryPoint: true };
    expect(commandOf(step({ shell }), image).Cmd).toEqual(["/entry 'a b' serve | cat"]);
  });

  it('leaves a script alone that does not begin with the entry point', () => {
    const shell = { script: 'echo | docker login', startsWithEntryPoint: false };
    expect(commandOf(step({ arguments: ['echo'], shell }), image).Cmd).toEqual(['echo | docker login']);
  });
});

describe('the network of a task that declares none', () => {
  const step = (id: string, needs: readonly string[] = [], given: Partial<Omit<CmdStep, 'kind' | 'id'>> = {}) =>
    createCmdStep(id, 'image', { network: 'acb_default_network', needs: needs as readonly StepId[], ...given });

  const meetingOf = (...steps: CmdStep[]) => [...findMeeting(createPlan(steps))].join('');

  it('is where all steps are when one stays, or wants to be reached', () => {
    expect(meetingOf(step('a', [], { detach: true }), step('b', ['a']))).toBe('ab');
    expect(meetingOf(step('a', [], { expose: ['80'] }), step('b', ['a']))).toBe('ab');
    expect(meetingOf(step('a'), step('b', ['a'], { options: [{ name: 'network-alias', value: 'x' }] }))).toBe('ab');
  });

  it('is where those steps are that have another beside them, and not those that have the run for themselves', () => {
    expect(meetingOf(step('a'), step('b'))).toBe('ab');
    expect(meetingOf(step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c']))).toBe('bc');
    expect(meetingOf(step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b']), step('e', ['c', 'd']))).toBe(
      'bcd',
    );
  });

  it('is needed by a step that may begin containers of its own on the engine, and not by others that drive it', () => {
    const driving = (...words: string[]) => meetingOf(step('a', [], { usesEngine: true, arguments: words }));
    for (const words of [['run', 'x'], ['compose', 'up'], ['--debug', 'run'], []]) expect(driving(...words)).toBe('a');
    for (const words of [
      ['stop', 'web'],
      ['build', '.'],
    ])
      expect(driving(...words)).toBe('');
  });

  it('is not needed when steps follow one another, or are elsewhere, or there is one', () => {
    expect(meetingOf(step('a', [], { detach: true }))).toBe('');
    expect(meetingOf(step('a'), step('b', ['a'], { arguments: ['a'] }), step('c', ['b']))).toBe('');
    expect(meetingOf(step('a'), step('b', [], { network: 'none' }))).toBe('');
  });
});

describe('the output of a container', () => {
  function frame(stream: number, text: string): Buffer {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  }

  it('comes out the same however its bytes are cut', () => {
    const pieces = fc.array(
      fc.record({ stream: fc.constantFrom(1, 2), text: fc.string({ unit: 'grapheme', maxLength: 20 }) }),
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ stream, text }) => frame(stream, `${text}\n`)));
        const [whole, cut] = [recordIo(), recordIo()];
        const one = createOutputReader(whole, false);
        one.write(bytes);
        one.flush();
        const other = createOutputReader(cut, false);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          other.write(bytes.subarray(at, end));
          at = end;
        }
        other.flush();
        expect(cut.lines).toEqual(whole.lines);
      }),
    );
  });

  it('keeps the streams apart, also in the middle of lines', () => {
    const io = recordIo();
    const reader = createOutputReader(io, false);
    reader.write(Buffer.concat([frame(1, 'ou'), frame(2, 'er'), frame(1, ''), frame(1, 't\n'), frame(2, 'r')]));
    reader.flush();
    expect(io.lines).toEqual([
      { stream: 'stdout', text: 'out' },
      { stream: 'stderr', text: 'err' },
    ]);
  });
});
