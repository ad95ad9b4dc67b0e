import { readdir, readFile } from 'node:fs/promises';

/** More rounds than there are generations of git processes (fetch, transport helper, index-pack). */
const maxRounds = 8;

/**
 * Kills every process whose environment holds `mark` (`NAME=value`, unique to one clone): git itself and what it
 * started. simple-git signals git alone, and a transport helper that waits for a silent server outlives it. Does
 * nothing where there is no /proc; there `http.lowSpeedTime` ends them.
 */
export async function killProcessesOf(mark: string): Promise<void> {
  for (let round = 0; round < maxRounds; round += 1) {
    const found = await findProcesses(mark);
    if (found.length === 0) return;
    for (const pid of found) killProcess(pid);
  }
}

async function findProcesses(mark: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const isMarked = await Promise.all(pids.map((pid) => hasMark(pid, mark)));
  return pids.filter((pid, index) => isMarked[index] === true && pid !== process.pid);
}

async function hasMark(pid: number, mark: string): Promise<boolean> {
  // Processes of other users, zombies and those that have just ended cannot be read, and are none of ours.
  const environment = await readFile(`/proc/${String(pid)}/environ`, 'latin1').catch(() => '');
  return environment.split('\0').includes(mark);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
