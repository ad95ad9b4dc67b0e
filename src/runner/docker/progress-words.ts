import { cleanLine } from './lines.ts';

/** Milliseconds as seconds: `0.3`, `12.0`; never negative. */
export function formatSeconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes for people, in powers of 1000 as `docker pull` shows them: `512B`, `3.40MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(2)}${units[unit] ?? ''}`;
}

const maxWords = 500;

/** A name or error from the engine on one line, bounded. */
export function oneLine(text: string): string {
  const flat = cleanLine(text.replace(/\s*[\r\n]+\s*/g, ' ')).trim();
  return flat.length > maxWords ? `${flat.slice(0, maxWords)}…` : flat;
}

/** Bytes of a layer that was moved: `1.20MB / 5.60MB`, or what there is of it. */
export function formatTransfer(current: number, total: number): string {
  if (total > 0) return `${formatBytes(current)} / ${formatBytes(total)}`;
  return current > 0 ? formatBytes(current) : '';
}
