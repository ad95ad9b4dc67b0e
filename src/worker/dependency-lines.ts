import { describeDependencies, formatDependencies } from '../domain/dependency-document.ts';
import type { RunId } from '../domain/run.ts';
import type { Store } from '../store/ports.ts';

/**
 * The dependency list that ends the log of a run that succeeded (acr-tasks.md §1.6); no lines when it built nothing. It is taken from the
 * run's record, which knows of earlier attempts too: what the run has emitted must be written by now. A record that cannot be read costs
 * the lines, not the run.
 */
export async function dependencyLines(runs: Pick<Store['runs'], 'get'>, id: RunId): Promise<readonly string[]> {
  const run = await runs.get(id).catch(() => undefined);
  const { dependencies = [], outputImages = [] } = run ?? {};
  if (dependencies.length === 0) return [];
  return ['Dependencies:', ...formatDependencies(describeDependencies(dependencies, outputImages))];
}
