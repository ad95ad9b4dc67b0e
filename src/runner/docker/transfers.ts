import type { EngineMessage } from './json-lines.ts';
import { numberField, textField } from './json-lines.ts';
import { formatTransfer } from './progress-words.ts';

/** What a layer's messages say when nothing more will come of it. */
const ends: Readonly<Record<string, string | undefined>> = {
  'Pull complete': 'pulled',
  'Already exists': 'already here',
  Pushed: 'pushed',
  'Layer already exists': 'already there',
};

interface Layer {
  readonly current: number;
  readonly total: number;
  readonly isDone: boolean;
  readonly isRetried: boolean;
}

const newLayer: Layer = { current: 0, total: 0, isDone: false, isRetried: false };

/** How a layer ended, in words; undefined while it has not. */
function endOf(status: string): string | undefined {
  return status.startsWith('Mounted from ') ? status.toLowerCase() : ends[status];
}

function advance(known: Layer, detail: unknown, status: string): Layer {
  const isDone = endOf(status) !== undefined;
  const isRetried = status.startsWith('Retrying in ');
  const total = numberField(detail, 'total') || known.total;
  const current = isDone ? total : numberField(detail, 'current') || known.current;
  return { current, total, isDone: isDone || known.isDone, isRetried };
}

/** Milliseconds between two lines about bytes under way. */
const pace = 1000;

/**
 * Turns the layer messages of a pull or push into few lines: one when a layer is finished, and at most one a second with the bytes
 * of all layers together. `now` gives milliseconds.
 */
export function createTransfers(emit: (line: string) => void, now: () => number): (message: EngineMessage) => void {
  const layers = new Map<string, Layer>();
  let shownAt = now();
  const showTotals = (): void => {
    if (now() - shownAt < pace) return;
    shownAt = now();
    const all = [...layers.values()];
    const sum = (pick: (layer: Layer) => number): number => all.reduce((total, layer) => total + pick(layer), 0);
    const bytes = formatTransfer(
      sum((layer) => Math.min(layer.current, layer.total || layer.current)),
      sum((layer) => layer.total),
    );
    emit(`${bytes}, ${all.filter((layer) => layer.isDone).length} of ${all.length} layers`);
  };
  return (message) => {
    const [id, status] = [textField(message, 'id'), textField(message, 'status')];
    if (id === undefined || status === undefined) return;
    const known = layers.get(id) ?? newLayer;
    const end = endOf(status);
    const layer = advance(known, message['progressDetail'], status);
    layers.set(id, layer);
    if (end !== undefined && !known.isDone) emit(`${id}: ${end}`);
    else if (layer.isRetried && !known.isRetried) emit(`${id}: did not arrive, the engine tries again`);
    else if (layer.total > 0) showTotals();
  };
}
