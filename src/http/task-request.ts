import { fail } from '../domain/failure.ts';
import type { EncodedTaskRunRequest, FileTaskRunRequest } from '../domain/run-request.ts';
import { readArguments, readBase, type ArgumentsBody, type RequestBody } from './request-parts.ts';

/** The body of scheduleRun as `schemas/api/file-task-run-request.schema.json` has it. */
export interface FileTaskBody extends RequestBody {
  readonly type: 'FileTaskRunRequest';
  readonly taskFilePath: string;
  readonly valuesFilePath?: string;
  readonly values?: ArgumentsBody;
}

/** The body of scheduleRun as `schemas/api/encoded-task-run-request.schema.json` has it. */
export interface EncodedTaskBody extends RequestBody {
  readonly type: 'EncodedTaskRunRequest';
  readonly encodedTaskContent: string;
  readonly encodedValuesContent?: string;
  readonly values?: ArgumentsBody;
}

/** Bytes of a task file or values file. */
const maxFileBytes = 256 * 1024;

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Checks a file that comes in base64; gives it back without white space and with its padding. */
function checkFile(content: string, field: string): string {
  const refuse = (why: string): Error => fail('invalid-request', `${field} ${why}`, { field });
  const plain = content.replaceAll(/\s/g, '');
  const digits = plain.replace(/={1,2}$/, '');
  if (digits.includes('=') || digits.length % 4 === 1) throw refuse('is not base64: something is missing in it');
  const bytes = Buffer.from(digits, 'base64');
  if (bytes.length > maxFileBytes) throw refuse(`must hold at most ${maxFileBytes / 1024} KiB`);
  if (!isText(bytes)) throw refuse('must hold text in UTF-8');
  return bytes.toString('base64');
}

/** A run of a task file that lies in the context, with defaults filled in. */
export function fillInFileTask(body: FileTaskBody): FileTaskRunRequest {
  return {
    type: body.type,
    taskFilePath: body.taskFilePath,
    ...(body.valuesFilePath !== undefined && { valuesFilePath: body.valuesFilePath }),
    values: readArguments(body.values),
    ...readBase(body),
  };
}

/** A run of a task file that comes with the request, with defaults filled in. Throws `invalid-request` naming the file that is none. */
export function fillInEncodedTask(body: EncodedTaskBody): EncodedTaskRunRequest {
  const { encodedValuesContent: values = '' } = body;
  const task = checkFile(body.encodedTaskContent, 'encodedTaskContent');
  if (task === '') {
    const hint = 'send the YAML of the task in base64';
    throw fail('invalid-request', 'encodedTaskContent is empty', { field: 'encodedTaskContent', hint });
  }
  return {
    type: body.type,
    encodedTaskContent: task,
    ...(values.trim() !== '' && { encodedValuesContent: checkFile(values, 'encodedValuesContent') }),
    values: readArguments(body.values),
    ...readBase(body),
  };
}
