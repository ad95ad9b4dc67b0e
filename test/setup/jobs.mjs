import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
const results = join(root, 'node_modules', '.cache', 'slipway-tests');
const bin = join(root, 'node_modules', '.bin');

/**
 * Runs a program of node_modules/.bin (or an absolute path) without stdin.
 * @returns {Promise<{code: number, output: string, seconds: number}>} `output` is both streams, as they came.
 */
export function run(program, args, { live = false, env = {} } = {}) {
  const started = Date.now();
  const command = program.startsWith('/') ? program : join(bin, program);
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    const end = (code) => resolve({ code, output, seconds: (Date.now() - started) / 1000 });
    child.once('error', (error) => {
      output += `${command}: ${error.message}\n`;
      end(127);
    });
    child.once('close', (code) => end(code ?? 1));
  });
}

/** Runs one command that is either right or wrong; what it says is shown only when it is wrong. Counts as one test. */
export async function runLint(name, program, args) {
  const { code, output, seconds } = await run(program, args);
  const verdict = code === 0 ? 'ok' : 'FAILED';
  console.log(`${verdict.padEnd(7)} ${name} (${seconds.toFixed(1)} s)`);
  if (code !== 0) console.log(output.trimEnd());
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

/**
 * Runs the vitest projects named and counts their tests. A file that cannot even be loaded counts as one failed
 * test; so does a project that fails although no test of it does (an error outside of all tests).
 */
export async function runVitest(project, { live = true, args = [], env = {} } = {}) {
  const file = join(results, `${project}.json`);
  mkdirSync(results, { recursive: true });
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { code, output, seconds } = await run('vitest', ['run', '--project', project, ...reporters, ...args], {
    live,
    env,
  });
  const counts = countTests(file);
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  if (!live && code !== 0) console.log(output.trimEnd());
  const verdict = counts.failed === 0 ? 'ok' : 'FAILED';
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
  console.log(`${verdict.padEnd(7)} ${project} tests: ${counts.passed} passed${skipped} (${seconds.toFixed(1)} s)`);
  return { passed: counts.passed, failed: counts.failed };
}

function countTests(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const unloaded = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Runs jobs, `width` at a time in the order given, and adds up their counts. */
export async function runJobs(jobs, width = 2) {
  const waiting = [...jobs];
  const total = { passed: 0, failed: 0 };
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const { passed, failed } = await job();
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return total;
}
