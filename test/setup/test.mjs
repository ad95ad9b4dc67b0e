import { prepare } from '../../src/cli/bootstrap.mjs';

/** Everything: set-up of a bare machine, all checks, all tests, and the line that sums them up. */
async function test() {
  const started = Date.now();
  if (!prepare()) return { passed: 0, failed: 1 };
  const { build } = await import('../../src/cli/build.mjs');
  const { check } = await import('./check.mjs');
  const { runJobs, runVitest } = await import('./jobs.mjs');
  if (!build()) return { passed: 0, failed: 1 };
  const total = await check();
  const { prepareMachine } = await import('./machine.mjs');
  const machine = await prepareMachine();
  const stop = () => machine.restore().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    // One after the other: they share two cores, and some of them measure time.
    const options = { env: machine.env, args: [] };
    const projects = ['integration', 'docker', 'conformance'];
    const rest = await runJobs(
      projects.map((project) => () => runVitest(project, options)),
      1,
    );
    return { passed: total.passed + rest.passed, failed: total.failed + rest.failed };
  } finally {
    await machine.restore();
    console.log(`The whole took ${Math.round((Date.now() - started) / 1000)} s.`);
  }
}

let counts;
try {
  counts = await test();
} catch (error) {
  console.error(error.failure === undefined ? error : `${error.message}. ${error.failure.hint ?? ''}`);
  counts = { passed: 0, failed: 1 };
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
