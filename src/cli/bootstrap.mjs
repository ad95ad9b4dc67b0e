import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// From a bare clone to the CLI: this file may use nothing but what every Node.js with modules has, so that an old one
// is told what it lacks instead of meeting a syntax error.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function isSupported(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

function readTime(path) {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** Whether the packages are missing or older than the list of them. npm writes the inner file when it is done. */
function needsPackages() {
  return readTime(join(root, 'node_modules', '.package-lock.json')) < readTime(join(root, 'package-lock.json'));
}

function installPackages() {
  console.log('Installing packages (npm ci) …');
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], options);
  if (status === 0) return true;
  console.error('npm ci failed. Is the registry of npm reachable? (npm config get registry)');
  return false;
}

/** Checks Node.js and brings the packages; says what is wrong and gives false when Slipway cannot go on. */
export function prepare() {
  if (!isSupported(process.versions.node)) {
    console.error('Slipway needs Node.js 20.19 or newer; this is ' + process.versions.node + '.');
    return false;
  }
  return !needsPackages() || installPackages();
}

function start() {
  if (!prepare()) {
    process.exitCode = 1;
    return;
  }
  import('./launch.mjs')
    .then(({ launch }) => launch(process.argv.slice(2)))
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) start();
