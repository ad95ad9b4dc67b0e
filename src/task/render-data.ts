import { mayHaveOutputs } from '../domain/output-reference.ts';
import { formatRunDate } from './quick-build.ts';

/** What is known of a run, for `.Run` (acr-tasks.md §2.1). Missing texts are empty. */
export interface RunData {
  readonly id: string;
  /** Host of the registry as it stands in image names. */
  readonly registry: string;
  readonly startedAt: Date;
  readonly taskName?: string | undefined;
  readonly commit?: string | undefined;
  readonly branch?: string | undefined;
  readonly repository?: string | undefined;
  readonly gitTag?: string | undefined;
  readonly triggeredBy?: string | undefined;
  readonly sharedVolume?: string | undefined;
  readonly os?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly architecture?: string | undefined;
}

/** A value of a values file: whatever YAML has. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };

export type Values = Readonly<Record<string, Value>>;

/** Texts that come from outside the task's owner, and so are put into the task's text only when they cannot mean anything there. */
const foreign = ['branch', 'commit', 'gitTag', 'repository'] as const;
const harmless = /^(?!-)[\p{L}\p{N}._/@:+~,=#-]*$/u;

/** The first of the run's texts that could change the meaning of the task, and why. */
export function findUnsafe(run: RunData): string | undefined {
  const name = foreign.find((key) => {
    const text = run[key] ?? '';
    return !harmless.test(text) || text.length > 500 || mayHaveOutputs(text);
  });
  return name === undefined ? undefined : `the run's ${name} has characters that could change what the task does`;
}

/** JSON as Go writes it: keys sorted, no blanks, and `<`, `>`, `&` escaped. */
function toGoJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(toGoJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Values).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, one]) => `${toGoJson(name)}:${toGoJson(one)}`).join(',')}}`;
  }
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escape);
}

/** Quotes a text for a POSIX shell where it has a character that needs it. */
function quoteForShell(text: string): string {
  if (text === '') return "''";
  return /[^\w^@=+%,:./-]/.test(text) ? `'${text.replaceAll("'", `'"'"'`)}'` : text;
}

const optionalFields = {
  Commit: 'commit',
  Repository: 'repository',
  Branch: 'branch',
  GitTag: 'gitTag',
  TriggeredBy: 'triggeredBy',
  SharedVolume: 'sharedVolume',
  OSVersion: 'osVersion',
  TaskName: 'taskName',
} as const satisfies Readonly<Record<string, keyof RunData>>;

function runOf(run: RunData): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(Object.entries(optionalFields).map(([name, key]) => [name, run[key] ?? ''])),
    ID: run.id,
    Registry: run.registry,
    RegistryName: run.registry.split('.')[0] ?? '',
    Date: formatRunDate(run.startedAt),
    OS: run.os ?? 'linux',
    Architecture: run.architecture ?? 'amd64',
  };
}

/** What templates see: `.Run`, `.Build`, `.Values`, `.Secrets`, `.ValuesJSON`, `.RunJSON`. */
export function renderData(run: RunData, values: Values, secrets: Readonly<Record<string, string>>): Values {
  const fields = runOf(run);
  return {
    Run: fields,
    Build: { ID: run.id },
    Values: values,
    Secrets: secrets,
    ValuesJSON: quoteForShell(toGoJson(values)),
    RunJSON: quoteForShell(toGoJson(fields)),
  };
}
