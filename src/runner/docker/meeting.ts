import type { CmdStep, Plan, StepId } from '../../domain/step.ts';

/** The network that every step is on when its task declares none (acr-tasks.md §1.5). */
export const implicitNetwork = 'acb_default_network';

/** All steps that a step waits for, through others too. */
function findAncestors(plan: Plan): ReadonlyMap<StepId, ReadonlySet<StepId>> {
  const ancestors = new Map<StepId, Set<StepId>>();
  for (const { id, needs } of plan.steps) {
    ancestors.set(id, new Set(needs.flatMap((need) => [need, ...(ancestors.get(need) ?? [])])));
  }
  return ancestors;
}

const naming = new Set(['name', 'network-alias', 'net-alias', 'ip', 'ip6']);

function isReachable(step: CmdStep): boolean {
  return step.detach || step.expose.length > 0 || step.options.some(({ name }) => naming.has(name));
}

/** Commands of the engine's client that begin no container. */
const quietCommands = new Set(
  'build images info inspect kill load login logout logs ps pull push rm rmi save stop tag version wait'.split(' '),
);

/** True when containers may come of a step that are to be found by name, as those of steps are. */
function mayBeginOthers({ usesEngine, arguments: [command = ''], shell }: CmdStep): boolean {
  return usesEngine && (shell !== undefined || !quietCommands.has(command));
}

/**
 * True when steps on the implicit network may look for each other by name: one stays, says that it wants to be reached, or begins further
 * containers by the engine's socket, or two run side by side. To put a container on a network later, when it turns out to need one, would
 * take its name server away from under whatever it is doing.
 */
export function mustMeet(plan: Plan): boolean {
  const steps = plan.steps.filter((step) => step.kind === 'cmd' && step.network === implicitNetwork) as CmdStep[];
  if (steps.some(mayBeginOthers)) return true;
  if (steps.length < 2) return false;
  if (steps.some(isReachable)) return true;
  const ancestors = findAncestors(plan);
  const isBefore = (one: CmdStep, other: CmdStep): boolean => ancestors.get(other.id)?.has(one.id) ?? false;
  return steps.some((one, index) => steps.slice(index + 1).some((other) => !isBefore(one, other)));
}
