import { StringDecoder } from 'node:string_decoder';

/** One message of a build, pull or push, as the engine streams them: an object a line. */
export type EngineMessage = Readonly<Record<string, unknown>>;

function parseMessage(line: string): EngineMessage | undefined {
  if (line.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as EngineMessage) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads messages off a stream and hands each on the moment it is whole; what is no JSON object is passed over. Resolves when
 * the stream has ended; rejects when it broke.
 */
export async function readMessages(
  stream: AsyncIterable<Uint8Array>,
  take: (message: EngineMessage) => void,
): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  const end = (): void => {
    const message = parseMessage(parts.join(''));
    parts = [];
    if (message) take(message);
  };
  for await (const chunk of stream) {
    const lines = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)).split('\n');
    lines.forEach((line, index) => {
      if (index > 0) end();
      parts.push(line);
    });
  }
  end();
}

/** A field of a message as text; undefined when it is none. */
export function textField(message: unknown, name: string): string | undefined {
  const value = objectField(message, name);
  return typeof value === 'string' ? value : undefined;
}

/** A field of a message as a number; 0 when it is none. */
export function numberField(message: unknown, name: string): number {
  const value = objectField(message, name);
  return typeof value === 'number' ? value : 0;
}

/** A field of something that came from the engine. */
export function objectField(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>)[name] : undefined;
}

/** The error inside a message: the engine answers 200 and says so in the stream. */
export function errorOf(message: EngineMessage): { readonly message: string; readonly code?: number } | undefined {
  const detail = message['errorDetail'];
  const text = textField(detail, 'message') ?? textField(message, 'error');
  if (text === undefined) return undefined;
  const code = numberField(detail, 'code');
  return { message: text, ...(code !== 0 && { code }) };
}
