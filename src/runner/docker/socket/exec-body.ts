import { emptyBecause, flag, passedOver, readFields, text, texts, words, type Fields, type Rules } from './fields.ts';

const execRules: Rules = {
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Cmd: words,
  ConsoleSize: passedOver,
  Container: passedOver,
  Detach: flag,
  DetachKeys: text,
  Env: texts,
  Privileged: emptyBecause('it would have the rights of the machine itself'),
  Tty: flag,
  User: text,
  WorkingDir: text,
};

/** Makes the body of `POST /containers/{id}/exec` anew. @throws `forbidden` for a privileged one, `invalid-request` */
export function rewriteExec(given: unknown): Fields {
  return readFields(given, execRules, '');
}

/** Makes the body of `POST /exec/{id}/start` anew. @throws `invalid-request` */
export function rewriteExecStart(given: unknown): Fields {
  return readFields(given, { Detach: flag, Tty: flag, ConsoleSize: passedOver }, '');
}
