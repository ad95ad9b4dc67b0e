import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return '';
  }
}

function readNetwork(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/**
 * The process number of a Docker engine that shares this process's network, or undefined. A second engine there would
 * replace the first one's packet filter rules and bridge, and cut its containers off.
 */
export function findForeignEngine(): number | undefined {
  const own = readNetwork('self');
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  const found = pids.find((pid) => readText(`/proc/${pid}/comm`) === 'dockerd' && readNetwork(pid) === own);
  return found === undefined ? undefined : Number(found);
}
