import type { Command } from 'commander';
import { fail } from '../domain/failure.ts';

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The value of `--top`. @throws `invalid-request` */
export function parseTop(text: string): number {
  const top = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (top >= 1 && top <= 1000) return top;
  throw fail('invalid-request', '--top must be a whole number from 1 to 1000', { field: '--top' });
}

/** The options of every command that makes a run, as commander hands them over. */
export interface RunOptionFlags {
  readonly platform?: string;
  readonly timeout?: string;
  readonly authMode?: string;
  readonly registry?: string;
  readonly logs: boolean;
  readonly wait: boolean;
}

/** Adds the options of {@link RunOptionFlags}. */
export function addRunOptions(command: Command): Command {
  return command
    .option('--platform <os/arch>', 'what the run is for, for example linux/arm64')
    .option('--no-logs', 'wait for the end without showing the log')
    .option('--no-wait', 'print the run’s id and end')
    .option('--timeout <seconds>', 'stop the run after so many seconds (300 to 28800; 3600 when not given)')
    .option('--auth-mode <mode>', 'None: the run may not use the registry in the box; Default: it may');
}

/** The options that give a task file its values. */
export interface ValueFlags {
  readonly set?: readonly string[];
  readonly setSecret?: readonly string[];
  readonly values?: string;
}

/** Adds the options of {@link ValueFlags}; `hidden` says what becomes of a value that is secret. */
export function addValueOptions(command: Command, hidden: string): Command {
  return command
    .option('--set <name=value>', 'a value for {{.Values.name}}; may be repeated', collect)
    .option('--set-secret <name=value>', `a value that is ${hidden}`, collect)
    .option('--values <path>', 'a YAML file with values; --set wins over it');
}
