import { runJobs, runLint, runVitest } from './jobs.mjs';

const cache = 'node_modules/.cache';
const formatted = ['**/*.{ts,js,mjs,json,yml,yaml}', '!examples/**', '!test/**/fixtures/**'];

/** Format, lint, types, dead code, architecture and unit tests: all that needs neither Redis nor an engine. */
export function check() {
  const eslint = ['.', '--cache', '--cache-strategy', 'content', '--cache-location', `${cache}/eslint/`];
  const prettier = ['--check', '--log-level', 'warn', '--cache'];
  const tsc = ['--noEmit', '-p', '.', '--incremental', '--tsBuildInfoFile', `${cache}/check.tsbuildinfo`];
  return runJobs([
    () => runLint('lint', 'eslint', eslint),
    () => runLint('types', 'tsc', tsc),
    () => runVitest('unit', { live: false }),
    () => runLint('format', 'prettier', [...prettier, ...formatted]),
    () => runLint('dead code', 'knip', ['--no-progress']),
  ]);
}

if (process.argv[1] === import.meta.filename) {
  const { passed, failed } = await check();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
