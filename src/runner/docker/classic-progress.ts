import type { BaseImage, Emit } from './buildkit-progress.ts';
import { textField, type EngineMessage } from './json-lines.ts';
import { createLineSplitter } from './lines.ts';
import { oneLine } from './progress-words.ts';
import { createTransfers } from './transfers.ts';

/** What is known of a classic build while it runs. */
export interface ClassicProgress {
  /** Takes one message; every line it completes is emitted before it returns. */
  write(message: EngineMessage): void;
  /** Emits what output had no line end; the build is over. */
  flush(): void;
  /** The image that the last finished stage made. */
  readonly imageId: string | undefined;
  /** The instruction that was begun last: `{number: 3, count: 5, text: 'RUN npm ci'}`. */
  readonly step: ClassicStep | undefined;
  /** Short id of the image that the last instruction made. */
  readonly layer: string | undefined;
  /** Short id of the container that the last RUN started. */
  readonly container: string | undefined;
  /** Base images that were pulled, by the names that the Dockerfile gives them. */
  readonly bases: readonly BaseImage[];
}

export interface ClassicStep {
  readonly number: number;
  readonly count: number;
  readonly text: string;
}

const ownWords =
  /^(?:Step \d+\/\d+ : | ---> |Removing intermediate container [0-9a-f]{12}$|Successfully (?:built|tagged) )/;

/** The state behind {@link createClassicProgress}. */
class Printer implements ClassicProgress {
  imageId: string | undefined;
  step: ClassicStep | undefined;
  layer: string | undefined;
  container: string | undefined;
  readonly bases: BaseImage[] = [];
  private readonly emit: Emit;
  private readonly splitter = createLineSplitter((line) => this.takeLine(line));
  private readonly transfers: (message: EngineMessage) => void;

  constructor(emit: Emit, now: () => number) {
    this.emit = emit;
    this.transfers = createTransfers((line) => emit('system', line), now);
  }

  write(message: EngineMessage): void {
    const text = textField(message, 'stream');
    if (text !== undefined) this.splitter.write(Buffer.from(text));
    this.imageId = textField(message['aux'], 'ID') ?? this.imageId;
    this.transfers(message);
    this.noteBase(textField(message, 'status') ?? '');
  }

  flush(): void {
    this.splitter.flush();
  }

  private noteBase(status: string): void {
    const digest = /^Digest: (sha256:[0-9a-f]{64})$/.exec(status)?.[1];
    const reference = /^FROM (?:--\S+ )*(\S+)/i.exec(this.step?.text ?? '')?.[1];
    if (digest !== undefined && reference !== undefined) this.bases.push({ reference, digest });
  }

  private takeLine(line: string): void {
    if (line === '') return;
    const step = /^Step (\d+)\/(\d+) : (.*)$/.exec(line);
    if (step) this.step = { number: Number(step[1]), count: Number(step[2]), text: step[3] ?? '' };
    this.container = /^ ---> Running in ([0-9a-f]{12})$/.exec(line)?.[1] ?? this.container;
    this.layer = /^ ---> ([0-9a-f]{12})$/.exec(line)?.[1] ?? this.layer;
    if (ownWords.test(line)) this.emit('system', oneLine(line));
    else this.emit('stdout', line);
  }
}

/**
 * Turns the classic builder's messages into lines. The builder mixes its own words with the output of the steps; a line that reads like
 * its own counts as `system`, so `step`, `layer` and `container` may be trusted for words and waiting, but for nothing that does harm.
 */
export function createClassicProgress(emit: Emit, now: () => number): ClassicProgress {
  return new Printer(emit, now);
}
