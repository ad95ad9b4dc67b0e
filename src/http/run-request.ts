import { fail } from '../domain/failure.ts';
import type { DockerBuildRequest, RunRequest } from '../domain/run-request.ts';
import { findNearest } from '../domain/nearest.ts';
import { readArguments, readBase, type ArgumentsBody, type RequestBody } from './request-parts.ts';
import { createBodyCheck } from './schema.ts';
import { fillInEncodedTask, fillInFileTask, type EncodedTaskBody, type FileTaskBody } from './task-request.ts';

/** The body of scheduleRun as `schemas/api/docker-build-request.schema.json` has it. */
interface DockerBuildBody
  extends RequestBody, Partial<Pick<DockerBuildRequest, 'imageNames' | 'isPushEnabled' | 'noCache' | 'target'>> {
  readonly type: 'DockerBuildRequest';
  readonly dockerFilePath: string;
  readonly arguments?: ArgumentsBody;
}

function fillInBuild(body: DockerBuildBody): DockerBuildRequest {
  const imageNames = body.imageNames ?? [];
  return {
    type: body.type,
    imageNames,
    isPushEnabled: imageNames.length > 0 && (body.isPushEnabled ?? true),
    noCache: body.noCache ?? false,
    dockerFilePath: body.dockerFilePath,
    ...(body.target !== undefined && { target: body.target }),
    arguments: readArguments(body.arguments),
    ...readBase(body),
  };
}

type Parse = (body: unknown) => RunRequest;

/** How each kind of run request is read, complete by type. */
function createParsers(): Readonly<Record<RunRequest['type'], Parse>> {
  const build = createBodyCheck('api/docker-build-request');
  const file = createBodyCheck('api/file-task-run-request');
  const encoded = createBodyCheck('api/encoded-task-run-request');
  return {
    DockerBuildRequest: (body) => fillInBuild(build(body) as DockerBuildBody),
    FileTaskRunRequest: (body) => fillInFileTask(file(body) as FileTaskBody),
    EncodedTaskRunRequest: (body) => fillInEncodedTask(encoded(body) as EncodedTaskBody),
  };
}

const takenTypes = ['DockerBuildRequest', 'FileTaskRunRequest', 'EncodedTaskRunRequest'] as const;
/** What a server takes besides: the run of a task that it keeps, which task-run-request.ts reads. */
const knownTypes = [...takenTypes, 'TaskRunRequest'] as const;

/** The discriminator is looked at before the rest, so that the message is about it and not about the fields of another type. */
function readType(body: unknown): RunRequest['type'] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw fail('invalid-request', 'the request body must be a JSON object', {
      hint: 'send {"type":"DockerBuildRequest", …} with Content-Type: application/json',
    });
  }
  const type = (body as Readonly<Record<string, unknown>>)['type'];
  const hint = `this server takes ${knownTypes.join(', ')}`;
  if (typeof type !== 'string')
    throw fail('invalid-request', 'type must name the kind of run request', { field: 'type', hint });
  const isSame = (one: string): boolean => one.toLowerCase() === type.toLowerCase();
  const taken = takenTypes.find(isSame);
  if (taken !== undefined) return taken;
  const nearest = findNearest(type, knownTypes);
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw fail('invalid-request', `"${type.slice(0, 100)}" is no type of run request${meant}`, { field: 'type', hint });
}

/**
 * Makes the parser of scheduleRun bodies (azure-api.md §6.2): a request with all defaults filled in, its secrets still in the clear.
 * It throws `invalid-request` naming the field.
 */
export function createRunRequestParser(): Parse {
  const parsers = createParsers();
  return (body) => parsers[readType(body)](body);
}
