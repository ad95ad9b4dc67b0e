import { maskedValue, type Argument, type RunRequest } from './run-request.ts';

/** The secrets of a request, taken out of it: what is sealed at rest. */
export interface RequestSecrets {
  /** The token or `user:password` of the source location. */
  readonly source?: string;
  /** Secret arguments, by name. */
  readonly arguments: Readonly<Record<string, string>>;
  /** Passwords of foreign registries, by host. */
  readonly registries: Readonly<Record<string, string>>;
}

export function hasSecrets(secrets: RequestSecrets): boolean {
  const count = Object.keys(secrets.arguments).length + Object.keys(secrets.registries).length;
  return secrets.source !== undefined || count > 0;
}

/** The values that must not show up in a log. */
export function secretValues(secrets: RequestSecrets): readonly string[] {
  const source = secrets.source === undefined ? [] : [secrets.source, ...secrets.source.split(':')];
  return [...source, ...Object.values(secrets.arguments), ...Object.values(secrets.registries)];
}

type Change = (name: string, value: string) => string;

function changeArguments(list: readonly Argument[], change: Change): readonly Argument[] {
  return list.map((one) => (one.isSecret ? { ...one, value: change(one.name, one.value) } : one));
}

function mapSecrets(request: RunRequest, argument: Change, password: Change): RunRequest {
  const customRegistries = Object.fromEntries(
    Object.entries(request.credentials.customRegistries).map(([host, credential]) => [
      host,
      { ...credential, password: password(host, credential.password) },
    ]),
  );
  const credentials = { ...request.credentials, customRegistries };
  return request.type === 'DockerBuildRequest'
    ? { ...request, credentials, arguments: changeArguments(request.arguments, argument) }
    : { ...request, credentials, values: changeArguments(request.values, argument) };
}

/**
 * Takes the secrets out of a request: what is left may be stored and shown. The source location's secret is taken out by whoever
 * parses locations and is handed in.
 */
export function splitSecrets(request: RunRequest, source?: string): { request: RunRequest; secrets: RequestSecrets } {
  const args: Record<string, string> = {};
  const registries: Record<string, string> = {};
  const masked = mapSecrets(
    request,
    (name, value) => {
      args[name] = value;
      return maskedValue;
    },
    (host, value) => {
      registries[host] = value;
      return maskedValue;
    },
  );
  return { request: masked, secrets: { ...(source !== undefined && { source }), arguments: args, registries } };
}

/** Puts the secrets back; the inverse of {@link splitSecrets} but for the source location's. */
export function joinSecrets(request: RunRequest, secrets: RequestSecrets): RunRequest {
  return mapSecrets(
    request,
    (name, value) => secrets.arguments[name] ?? value,
    (host, value) => secrets.registries[host] ?? value,
  );
}
