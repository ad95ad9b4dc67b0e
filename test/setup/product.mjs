import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Loads a compiled module of the product (`host/engine`), so that the set-up of the tests uses the product's own. */
export function load(name) {
  return import(pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'src', `${name}.js`)).href);
}
