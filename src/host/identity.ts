import { readFileSync } from 'node:fs';

/**
 * Names one process for ever: its start time in clock ticks (field 22 of `/proc/PID/stat`, proc(5)) and the boot it
 * belongs to, so that a number used again by another process is not taken for ours. Undefined when there is no such
 * process, or it is a zombie, or the system has no `/proc`.
 */
export function identifyProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name stands in brackets and may hold spaces and brackets itself: what counts follows the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${fields[19] ?? ''}`;
  } catch {
    return undefined;
  }
}

/** Whether a process with this number exists; a weaker witness for systems without `/proc`. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
