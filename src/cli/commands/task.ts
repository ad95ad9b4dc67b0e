import type { Command } from 'commander';
import type { Start } from '../cli.ts';
import { addTaskCredential } from './task-credential.ts';
import { addTaskRun } from './task-run.ts';
import { addTaskShow } from './task-show.ts';
import { addTaskTimer } from './task-timer.ts';
import { addTaskWebhook } from './task-webhook.ts';
import { addTaskWrite } from './task-write.ts';

const examples = `
Examples:
  slipway task create web-app -c https://github.com/owner/app.git#main -f Dockerfile -t app:{{.Run.ID}}
  slipway task list
  slipway task show web-app                 what it does, what it watches, and why something is not watched
  slipway task run web-app
  slipway task logs web-app
  slipway task timer add web-app --schedule "0 3 * * *"
  slipway task delete web-app

The flags are those of "az acr task"; the name may come first or behind -n.`;

/** Adds `slipway task …`. */
export function addTask(program: Command, start: Start): void {
  const task = program
    .command('task')
    .summary('make, show, run and delete tasks')
    .description(
      'A task is a build, or a file of steps, that runs by itself: on pushes, at times, when a base image changes.',
    )
    .addHelpText('after', examples);
  addTaskWrite(task, start);
  addTaskShow(task, start);
  addTaskRun(task, start);
  addTaskTimer(task, start);
  addTaskWebhook(task, start);
  addTaskCredential(task, start);
}
