import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where Slipway itself lies, and which one it is. */
export interface Product {
  /** The folder of its package.json; `dist/`, `examples/` and `schemas/` lie in it. */
  readonly root: string;
  readonly version: string;
}

/** Finds the package that this file belongs to, compiled or not. */
export function findProduct(from = import.meta.dirname): Product {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'slipway') return { root: folder, version: version ?? '0.0.0' };
    }
    if (folder === dirname(folder)) throw new Error(`${from} belongs to no slipway package`);
  }
}
