import type { CmdStep, Plan, StepId } from '../../domain/step.ts';

/** The network that every step is on when its task declares none (acr-tasks.md §1.5). */
export const implicitNetwork = 'acb_default_network';

/** All steps that a step waits for, through others too. */
export function findAncestors(plan: Plan): ReadonlyMap<StepId, ReadonlySet<StepId>> {
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
 * The steps that must be where names are found: on the implicit network. All of its steps when one of them stays, says that it wants to be
 * reached, or begins further containers by the engine's socket; else those with another beside them. One that has the run for itself is
 * spared the network, and its start is a fifth faster. To put a container on a network later, when it turns out to need one, would take
 * its name server away from under whatever it is doing.
 */
export function findMeeting(plan: Plan): ReadonlySet<StepId> {
  const steps = plan.steps.filter((step) => step.kind === 'cmd' && step.network === implicitNetwork) as CmdStep[];
  const all = (): ReadonlySet<StepId> => new Set(steps.map(({ id }) => id));
  if (steps.some(mayBeginOthers)) return all();
  if (steps.length > 1 && steps.some(isReachable)) return all();
  const ancestors = findAncestors(plan);
  const isBefore = (one: StepId, other: StepId): boolean => ancestors.get(other)?.has(one) ?? false;
  const isBeside = (one: StepId, other: StepId): boolean =>
    one !== other && !isBefore(one, other) && !isBefore(other, one);
  return new Set(steps.filter(({ id }) => steps.some((other) => isBeside(id, other.id))).map(({ id }) => id));
}
