import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const stamp = join(root, 'dist', '.built');
const compiled = /\.(ts|mjs)$|^tsconfig.*\.json$/;

/** Modification time in milliseconds, or undefined for what does not exist. */
export function readTime(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** Every file and directory below one, directories included: what is removed shows in the time of its directory. */
function* walk(directory) {
  yield directory;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

function listSources() {
  const folders = ['src', 'workers'].map((name) => join(root, name)).filter((path) => existsSync(path));
  return [...folders.flatMap((folder) => [...walk(folder)]), join(root, 'tsconfig.json'), join(root, 'package.json')];
}

/** Whether `dist` is missing or older than what it is made of. An installed package has no sources and is never stale. */
export function isStale() {
  if (!existsSync(join(root, 'src', 'tsconfig.build.json'))) return false;
  const built = readTime(stamp);
  return built === undefined || listSources().some((path) => (readTime(path) ?? 0) > built);
}

/** Copies what the compiler leaves behind (pages, scripts for Redis) to its place beside the compiled modules. */
function copyAssets() {
  const source = join(root, 'src');
  for (const path of walk(source)) {
    if (statSync(path).isDirectory() || compiled.test(relative(join(path, '..'), path))) continue;
    const target = join(root, 'dist', 'src', relative(source, path));
    mkdirSync(join(target, '..'), { recursive: true });
    cpSync(path, target);
  }
}

/**
 * Compiles src/ and workers/ to dist/, and copies the other files of src/ beside them.
 * @returns {boolean} false when the compiler found errors; it has printed them to stderr.
 */
export function build() {
  const started = new Date();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', join(root, 'src', 'tsconfig.build.json'), '--pretty', String(process.stderr.isTTY === true)];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    process.stderr.write(stdout);
    return false;
  }
  copyAssets();
  writeFileSync(stamp, '');
  // A file saved while the compiler ran is newer than the stamp, and makes the next start build again.
  utimesSync(stamp, started, started);
  return true;
}

if (process.argv[1] === import.meta.filename) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  process.exitCode = build() ? 0 : 1;
}
