import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createGitProviders } from '../../../src/trigger/git/providers.ts';
import type { GitEvent, ParsedDelivery } from '../../../src/trigger/git/event.ts';

const folder = new URL('payloads/', import.meta.url);

/** The commits that the payloads tell of: before, on the way, head, and an annotated tag's own object. */
export const commits = {
  before: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
  between: '4d3c2b1a0f9e8d7c6b5a4938271605f4e3d2c1b0',
  head: '9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c',
  tag: '77c1a0b2d3e4f5061728394a5b6c7d8e9f001122',
};

/** Parsed JSON of any shape, to be changed at will. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Recorded {
  readonly headers: Record<string, string>;
  readonly body: Json;
}

export const payloadNames = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));

/** A delivery as a forge sends it, without its signature; a fresh copy each time. */
export function readPayload(name: string): Recorded {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Recorded;
}

/** 2026-11-21T12:00:00Z */
export const nowMs = 1_795_262_400_000;

export const providers = createGitProviders({ now: () => nowMs });

/** Parses a recorded delivery with the provider that its headers name. */
export function parsePayload(name: string): ParsedDelivery {
  return parseDelivery(readPayload(name));
}

export function parseDelivery({ headers, body }: Recorded): ParsedDelivery {
  const provider = providers.recognise(headers) ?? providers.get('generic');
  return provider.parse(headers, body);
}

/** What a delivery comes to after a change of its body. */
export function parseChanged(name: string, change: (body: Json) => void): ParsedDelivery {
  const recorded = readPayload(name);
  change(recorded.body);
  return parseDelivery(recorded);
}

/** The first event of a recorded delivery. */
export function firstEvent(name: string): GitEvent {
  const [event] = parsePayload(name).events;
  if (event === undefined) throw new Error(`${name} holds no event`);
  return event;
}

export function hmacHex(secret: string | Buffer, ...parts: (string | Buffer)[]): string {
  const mac = createHmac('sha256', secret);
  for (const part of parts) mac.update(part);
  return mac.digest('hex');
}
