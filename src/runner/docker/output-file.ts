import { isOutputName, outputLimits } from '../../domain/output-reference.ts';

/** What a step wrote into its file of outputs, or what is wrong with the file; the message has nothing of its text. */
export type OutputFile =
  | { readonly ok: true; readonly outputs: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string };

interface Reading {
  readonly lines: readonly string[];
  /** Lines read so far. */
  count: number;
  readonly outputs: Map<string, string>;
}

/** Thrown and caught in this file. */
class OutputFault extends Error {}

const marks = /=|<</;

/** The lines up to the one that is `end` alone. */
function readBlock(reading: Reading, end: string): string {
  const from = reading.count;
  const length = reading.lines.slice(from).indexOf(end);
  if (length < 0) throw new OutputFault(`line ${from} begins a value whose end mark does not come`);
  reading.count += length + 1;
  return reading.lines.slice(from, from + length).join('\n');
}

function readEntry(reading: Reading, line: string): readonly [name: string, value: string] {
  const mark = marks.exec(line);
  if (mark === null) throw new OutputFault(`line ${reading.count} has neither name=value nor name<<END`);
  const name = line.slice(0, mark.index);
  if (!isOutputName(name)) throw new OutputFault(`line ${reading.count} does not begin with the name of an output`);
  const rest = line.slice(mark.index + mark[0].length);
  return [name, mark[0] === '=' ? rest : readBlock(reading, rest)];
}

function readAll(reading: Reading): void {
  while (reading.count < reading.lines.length) {
    const line = reading.lines[reading.count] ?? '';
    reading.count += 1;
    if (line.trim() === '') continue;
    const [name, value] = readEntry(reading, line);
    if (value.includes('\0')) throw new OutputFault(`the value of line ${reading.count} has a zero byte`);
    reading.outputs.set(name, value);
    if (reading.outputs.size > outputLimits.names)
      throw new OutputFault(`there are more than ${outputLimits.names} outputs`);
  }
}

/**
 * Reads a file of outputs: `name=value` to the end of the line, or `name<<END`, the lines of the value, and a line that is `END` alone. Blank
 * lines mean nothing, of equal names the last one counts, lines may end with CR LF.
 */
export function parseOutputFile(text: string): OutputFile {
  const reading: Reading = { lines: text.split(/\r?\n/), count: 0, outputs: new Map() };
  try {
    readAll(reading);
    return { ok: true, outputs: reading.outputs };
  } catch (error) {
    if (error instanceof OutputFault) return { ok: false, message: error.message };
    throw error;
  }
}
