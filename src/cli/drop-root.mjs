import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// Runs a module as an ordinary user that may still use the container engine's socket: the group that owns the socket
// differs from host to host, so only a process that starts as root can find out and keep it.
const user = 1000;
const socket = '/var/run/docker.sock';

function keepGroups() {
  const owner = statSync(socket, { throwIfNoEntry: false });
  return owner === undefined ? [user] : [user, owner.gid];
}

/** The directory for the engine sockets of runs is a folder of the host, which the engine makes as root's. */
function giveSockets(directory) {
  mkdirSync(directory, { recursive: true });
  chownSync(directory, user, user);
  chmodSync(directory, 0o700);
}

if (process.getuid() === 0) {
  if (process.env.SLIPWAY_SOCKET_DIR) giveSockets(process.env.SLIPWAY_SOCKET_DIR);
  process.setgroups(keepGroups());
  process.setgid(user);
  process.setuid(user);
}

const [script, ...words] = process.argv.slice(2);
process.argv = [process.argv[0], resolve(script), ...words];
await import(pathToFileURL(resolve(script)).href);
