import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

/** A log file whose new lines are wanted. */
interface Tailed {
  readonly file: string;
  readonly decoder: StringDecoder;
  position: number;
  rest: string;
}

const chunkBytes = 64 * 1024;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** What was added since the last look; a file that became shorter is read from its beginning. */
function readNew(tailed: Tailed): string {
  const handle = openSync(tailed.file, 'r');
  try {
    if (fstatSync(handle).size < tailed.position) tailed.position = 0;
    const buffer = Buffer.alloc(chunkBytes);
    let text = '';
    for (let bytes = -1; bytes !== 0; tailed.position += bytes) {
      bytes = readSync(handle, buffer, 0, chunkBytes, tailed.position);
      text += tailed.decoder.write(buffer.subarray(0, bytes));
    }
    return text;
  } finally {
    closeSync(handle);
  }
}

/** New lines of files, from their present end on; `next` gives what was added since it was last called. */
export function tailFiles(files: readonly string[]): { next(): readonly { file: string; line: string }[] } {
  const all = files.map((file) => ({ file, decoder: new StringDecoder('utf8'), position: sizeOf(file), rest: '' }));
  return {
    next: () =>
      all.flatMap((tailed) => {
        if (sizeOf(tailed.file) === tailed.position) return [];
        const lines = (tailed.rest + readNew(tailed)).split('\n');
        tailed.rest = lines.pop() ?? '';
        return lines.map((line) => ({ file: tailed.file, line }));
      }),
  };
}

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const silent = ['level', 'time', 'pid', 'hostname', 'role', 'msg', 'name', 'err', 'v'];

/** A line of our own log (JSON, as pino writes it) for people: time, level, message, the rest as `key=value`. Others as they are. */
export function formatLogLine(line: string): string {
  let entry: Readonly<Record<string, unknown>>;
  try {
    entry = (JSON.parse(line) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return line;
  }
  const { level, time, msg, err } = entry;
  if (typeof level !== 'number' || typeof msg !== 'string') return line;
  const at = typeof time === 'number' && Math.abs(time) < 8.64e15 ? new Date(time).toISOString().slice(11, 19) : '';
  const rest = Object.entries(entry).filter(([name]) => !silent.includes(name));
  const more = rest.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const fault = (err as { readonly message?: string } | undefined)?.message;
  return [
    at,
    (levels[level] ?? String(level)).padEnd(5),
    msg,
    ...more,
    ...(fault === undefined ? [] : [`(${fault})`]),
  ].join(' ');
}
