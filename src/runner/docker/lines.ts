import { StringDecoder } from 'node:string_decoder';

/** The longest line that is handed on in one piece, in bytes of UTF-8. */
export const maxLineBytes = 16 * 1024;

/** Escape sequences, in the order of ECMA-48: control sequences, strings up to their end, other two- and three-byte ones. */
const escapes = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?/g;
const controls = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]|[\x80-\x9f]/g;
const dirty = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** Removes what would move a reader's cursor or worse; colours (`ESC [ … m`) stay. Line ends are not looked at. */
export function cleanLine(text: string): string {
  if (!dirty.test(text)) return text;
  const kept = text.replace(escapes, (whole: string, parameters: string | undefined, final: string | undefined) =>
    final === 'm' && /^[0-9;:]*$/.test(parameters ?? '') ? whole : '',
  );
  return kept.replace(controls, '');
}

/** What a terminal would show of a line in which `\r` went back to its start: the last thing written. */
function collapse(line: string): string {
  if (!line.includes('\r')) return line;
  const trimmed = line.replace(/\r+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('\r') + 1);
}

/** The same for a line that still grows: a `\r` at its end may yet turn out to be half of a line end. */
function collapsePartial(line: string): string {
  const before = line.lastIndexOf('\r', line.length - 2);
  return before < 0 || /^\r*$/.test(line.slice(before)) ? line : line.slice(before + 1);
}

/** Cuts off the first {@link maxLineBytes} at the border of a character; the whole line when it is short enough. */
function cutLine(line: string): readonly [string, string] {
  if (line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes) return [line, ''];
  const bytes = Buffer.from(line);
  let end = maxLineBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return [bytes.toString('utf8', 0, end), bytes.toString('utf8', end)];
}

/** Chunks of output in, whole lines out. */
export interface LineSplitter {
  /** Takes a chunk that may be cut anywhere, within a character too. */
  write(chunk: Uint8Array): void;
  /** Emits what has no line end yet; call it when the stream is over. */
  flush(): void;
}

/**
 * Makes lines out of chunks: `\n` and `\r\n` end a line, a progress bar drawn with `\r` becomes its last state, control
 * sequences but colours are removed, a line over 16 KiB is split. `emit` is called at once for every line that is whole.
 */
export function createLineSplitter(emit: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const emitLine = (line: string): void => {
    let [head, tail] = cutLine(cleanLine(collapse(line)));
    while (tail !== '') {
      emit(head);
      [head, tail] = cutLine(tail);
    }
    emit(head);
  };
  const emitOverlong = (): void => {
    for (let [head, tail] = cutLine(rest); tail !== ''; [head, tail] = cutLine(rest)) {
      emit(cleanLine(head));
      rest = tail;
    }
  };
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) emitLine(line);
    rest = collapsePartial(rest);
    emitOverlong();
  };
  return {
    write: (chunk) => take(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    flush: () => {
      take(decoder.end());
      if (rest !== '') emitLine(rest);
      rest = '';
    },
  };
}
