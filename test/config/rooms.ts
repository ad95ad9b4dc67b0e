/** What an arrow between two rooms allows: everything, or types and the other room's `ports.ts`. */
export type Arrow = 'all' | 'types';

const ground = { blob: 'all', secret: 'all', egress: 'all', 'registry-client': 'all', domain: 'all' } as const;
const root = { config: 'types', logger: 'types' } as const;

/**
 * Who may import whom: the table of DESIGN.md §3, a row for each room. A room may always import itself; whatever is not
 * named is forbidden. `config` and `logger` stand for the two files beside the rooms.
 */
export const arrows: Readonly<Record<string, Readonly<Record<string, Arrow>>>> = {
  domain: {},
  config: { domain: 'all', network: 'all' },
  logger: { domain: 'all', secret: 'all', config: 'types' },
  task: { domain: 'all' },
  dockerfile: { domain: 'all' },
  engine: { domain: 'all', task: 'types', source: 'types' },
  blob: { domain: 'all' },
  secret: { domain: 'all' },
  egress: { domain: 'all' },
  'registry-client': { domain: 'all', egress: 'all' },
  host: { domain: 'all' },
  network: { domain: 'all' },
  tls: { domain: 'all', ...root },
  rebase: { domain: 'all', dockerfile: 'all' },
  patch: {
    ...ground,
    ...root,
    task: 'all',
    dockerfile: 'all',
    source: 'types',
    store: 'types',
    queue: 'types',
    trigger: 'types',
  },
  notify: { ...ground, ...root, store: 'types', queue: 'types' },
  runner: { ...ground, ...root, dockerfile: 'all', rebase: 'all', task: 'types', engine: 'types', source: 'types' },
  source: { ...ground, ...root },
  trigger: { ...ground, ...root, task: 'types', store: 'types', queue: 'types' },
  registry: { ...ground, ...root, trust: 'all' },
  trust: { domain: 'all' },
  worker: { ...ground, ...root, task: 'all', engine: 'all', source: 'types', store: 'types', queue: 'types' },
  store: { ...ground, ...root, task: 'types' },
  queue: { ...ground, ...root },
  http: { ...ground, ...root, task: 'all', trigger: 'all', patch: 'all', store: 'types', queue: 'types' },
  portal: { ...ground, ...root, task: 'types' },
  cli: { ...ground, config: 'all', logger: 'all', task: 'all', source: 'all', host: 'all', tls: 'all' },
};

/** Composition roots: they put the rooms together, may import all of them, and nothing may import them. */
export const compositionRoot =
  /^(src\/(main|installation|compose\/[^/]+|cli\/(compose|local-run|local-site))\.ts|workers\/[^/]+\.ts)$/;

/** The room that a source file belongs to, or undefined outside `src/`. */
export function roomOf(file: string): string | undefined {
  return /^src\/([^/.]+)(?:\/|\.ts$)/.exec(file)?.[1];
}

/** One import, as the architecture sees it. */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

/** Says why an import is not allowed, or undefined when it is. */
export function judgeImport({ from, to, isTypeOnly }: Import): string | undefined {
  const arrow = `${from} → ${to}`;
  if (compositionRoot.test(to) && !compositionRoot.test(from) && !isEntryOfCli(from))
    return `${arrow}: nothing imports a composition root`;
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (compositionRoot.test(from) || toRoom === undefined || fromRoom === toRoom) return undefined;
  const row = fromRoom === undefined ? undefined : arrows[fromRoom];
  if (row === undefined) return `${arrow}: ${fromRoom ?? from} is no room of the table`;
  const allowed = row[toRoom];
  if (allowed === 'all') return undefined;
  if (allowed === undefined) return `${arrow}: ${String(fromRoom)} may not import ${toRoom}`;
  const isPort = isTypeOnly || to === `src/${toRoom}/ports.ts`;
  return isPort ? undefined : `${arrow}: ${String(fromRoom)} may import only types and ports of ${toRoom}`;
}

/** The CLI's own table of commands reaches the command that composes a whole installation. */
function isEntryOfCli(file: string): boolean {
  return file.startsWith('src/cli/');
}
