import type { Argument, RunRequest } from '../domain/run-request.ts';

/** A request's arguments, or values. */
export function argumentsOf(request: RunRequest): readonly Argument[] {
  return request.type === 'DockerBuildRequest' ? request.arguments : request.values;
}

function withArguments(request: RunRequest, list: readonly Argument[]): RunRequest {
  return request.type === 'DockerBuildRequest' ? { ...request, arguments: list } : { ...request, values: list };
}

/** Two requests without the arguments that hold, in one of them, a tag that is followed. */
export function leaveOutFollowed(a: RunRequest, b: RunRequest): readonly [RunRequest, RunRequest] {
  const followed = [...argumentsOf(a), ...argumentsOf(b)].filter(({ isFollowed }) => isFollowed);
  const names = new Set(followed.map(({ name }) => name));
  const without = (request: RunRequest): RunRequest =>
    withArguments(
      request,
      argumentsOf(request).filter(({ name }) => !names.has(name)),
    );
  return [without(a), without(b)];
}

/**
 * An earlier request with the tags that its task follows now. What was asked for that run by name stays: a value that is neither a tag that
 * was followed nor the task's own.
 * @param own the task's arguments or values.
 */
export function renewFollowed(
  request: RunRequest,
  followed: readonly Argument[],
  own: readonly Argument[],
): RunRequest {
  const kept = argumentsOf(request).filter(({ isFollowed }) => isFollowed !== true);
  const isAsked = ({ name }: Argument): boolean => {
    const before = kept.find((one) => one.name === name);
    return before !== undefined && !own.some((one) => one.name === name && one.value === before.value);
  };
  const renewed = followed.filter((one) => !isAsked(one));
  const names = new Set(renewed.map(({ name }) => name));
  return withArguments(request, [...kept.filter(({ name }) => !names.has(name)), ...renewed]);
}
