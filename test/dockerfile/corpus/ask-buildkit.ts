import { text } from 'node:stream/consumers';
import type { Engine } from '../../../src/runner/docker/client.ts';
import { decodeTrace } from '../../../src/runner/docker/buildkit-trace.ts';
import { packFiles } from '../../runner/rig.ts';
import { fill, type CorpusCase, type Place, type Resolved } from './case.ts';
import type { RecordingRegistry } from './registry.ts';

/** What a build says about itself. */
interface Told {
  readonly imageId?: string;
  readonly error?: string;
  /** The names of its parts. */
  readonly vertices: readonly string[];
}

interface Message {
  readonly id?: string;
  readonly aux?: unknown;
  readonly error?: string;
}

function readAnswer(lines: string): Told {
  const vertices: string[] = [];
  let imageId: string | undefined;
  let error: string | undefined;
  for (const line of lines.split('\n').filter((one) => one.trim() !== '')) {
    const message = JSON.parse(line) as Message;
    if (typeof message.aux === 'string') {
      vertices.push(...decodeTrace(Buffer.from(message.aux, 'base64')).vertices.map(({ name }) => name));
    } else if (message.aux !== undefined) imageId = (message.aux as { ID?: string }).ID ?? imageId;
    error = message.error ?? error;
  }
  return { vertices, ...(imageId !== undefined && { imageId }), ...(error !== undefined && { error }) };
}

async function build(engine: Engine, one: CorpusCase, place: Place): Promise<Told> {
  const given = Object.entries(one.arguments ?? {}).map(([name, value]) => [name, fill(value, place)]);
  const request = {
    method: 'POST' as const,
    deadlineMs: 'none' as const,
    path: '/build',
    query: {
      version: '2',
      networkmode: 'none',
      // Two cases never make the same image, which the one would remove before the other has looked at it.
      labels: JSON.stringify({ case: place.folder, port: place.host }),
      buildargs: JSON.stringify(Object.fromEntries(given)),
      ...(one.target !== undefined && { target: one.target }),
      ...(one.platform !== undefined && { platform: one.platform }),
    },
    headers: { 'Content-Type': 'application/x-tar' },
    file: packFiles({ Dockerfile: fill(one.text, place), f: 'f', 'sub/f': 'f' }),
  };
  try {
    return readAnswer(await text(await engine.stream(request)));
  } catch (error) {
    return { vertices: [], error: (error as Error).message };
  }
}

/** The label that every image of the registry has, and hands on to what is built on it. */
async function readRuntime(engine: Engine, imageId: string): Promise<string | undefined> {
  const image = (await engine.json({ method: 'GET', path: `/images/${imageId}/json` })) as {
    Config?: { Labels?: Record<string, string> | null };
  };
  await engine.json({ method: 'DELETE', path: `/images/${imageId}`, query: { force: '1' } }).catch(() => undefined);
  return image.Config?.Labels?.['base'];
}

/** The images of other registries that a build names; what it says of ours, the registry knows better. */
function elsewhere(vertices: readonly string[], host: string): readonly string[] {
  const port = host.slice(host.indexOf(':'));
  const named = vertices.map(
    (name) => /(?:\bFROM |load metadata for |resolve image config for |^resolve )(\S+)/.exec(name)?.[1],
  );
  const names = named.flatMap((name) => (name === undefined || name.includes(`${port}/`) ? [] : [name]));
  return [...new Set(names.map((name) => name.replace(/@sha256:.*$/, '')))];
}

/** Has an engine's BuildKit build a case, and says what it resolved. Leaves no image behind. */
export async function askBuildKit(
  engine: Engine,
  registry: RecordingRegistry,
  one: CorpusCase,
  folder: string,
): Promise<Resolved> {
  const place: Place = registry.open(folder, (name) => (one.triggers?.[name] ?? []).map((line) => fill(line, place)));
  const { vertices, error, imageId } = await build(engine, one, place);
  const runtime = imageId === undefined ? undefined : await readRuntime(engine, imageId);
  return {
    images: [...registry.askedFor(folder), ...elsewhere(vertices, registry.host)].sort(),
    ...(runtime !== undefined && { runtime }),
    ...(error !== undefined && { refused: error.replaceAll(registry.host, 'REG').replaceAll(`/${folder}/`, '/') }),
  };
}
