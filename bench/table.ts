/** One line of the table: our figure, that of the peer or floor beside it in the same run, and ours divided by it. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly floor: number;
  readonly ratio: number;
  readonly unit: string;
  readonly target: string;
}

/** The value in the middle of a list, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The figure below which the share `part` of a list lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Lays rows out as a text table. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['measurement', 'slipway', 'peer or floor', 'ratio', 'unit', 'target'];
  const cells = rows.map((row) => [
    row.name,
    row.ours.toFixed(1),
    row.floor.toFixed(1),
    row.ratio.toFixed(3),
    row.unit,
    row.target,
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0)));
  const lines = [head, ...cells].map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}
