import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, isStale } from './build.mjs';

const main = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

/** Runs the compiled CLI in this process with the words given, compiling it first when it is not fresh. */
export async function launch(words) {
  if (isStale() && !build()) {
    process.exitCode = 1;
    return;
  }
  process.argv = [process.argv[0], main, ...words];
  await import(pathToFileURL(main).href);
}
