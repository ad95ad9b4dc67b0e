/** Where a run happens: the wire shape of Azure's `PlatformProperties`, values lower case. */
export interface Platform {
  readonly os: 'linux' | 'windows';
  readonly architecture?: 'amd64' | 'x86' | '386' | 'arm' | 'arm64';
  readonly variant?: 'v6' | 'v7' | 'v8';
}

/** A build argument or task value. A secret one is masked wherever it is shown and sealed wherever it is kept. */
export interface Argument {
  readonly name: string;
  readonly value: string;
  readonly isSecret: boolean;
  /** Set for the run in place of what its task says: the newest tag, as far as is known, that the task follows by this argument. */
  readonly isFollowed?: true;
}

/** User name and password for a registry that is not ours, by its host. */
export interface RegistryCredential {
  readonly userName: string;
  readonly password: string;
}

/** A registry's credential, of which parts may lie in a vault until the run is at work. */
export interface CustomCredential extends RegistryCredential {
  /** The parts that are URLs of secrets in a vault. */
  readonly vaulted?: readonly (keyof RegistryCredential)[];
  /** The identity to ask the vault with, a UUID. */
  readonly clientId?: string;
}

export interface RunCredentials {
  /** `None`: the run gets no rights on the embedded registry; `Default`: it may pull and push there. */
  readonly sourceRegistry: { readonly loginMode: 'None' | 'Default' };
  readonly customRegistries: Readonly<Record<string, CustomCredential>>;
}

/** What a run asks of its worker. */
export interface AgentConfiguration {
  /** Processors that its steps may use together; absent: as many as the worker gives. */
  readonly cpu?: number;
}

/** What every kind of run request has (azure-api.md §6.2). */
export interface RunRequestBase {
  readonly isArchiveEnabled: boolean;
  readonly agentPoolName?: string;
  /** Seconds, 300–28800. */
  readonly timeout: number;
  readonly platform: Platform;
  readonly agentConfiguration: AgentConfiguration;
  /** A relative path given with an upload URL, a git URL `…git#ref:folder`, or the URL of a tar archive. */
  readonly sourceLocation?: string;
  readonly credentials: RunCredentials;
}

/** A quick build: one Dockerfile, its image names, and whether they are pushed. */
export interface DockerBuildRequest extends RunRequestBase {
  readonly type: 'DockerBuildRequest';
  readonly imageNames: readonly string[];
  readonly isPushEnabled: boolean;
  readonly noCache: boolean;
  readonly dockerFilePath: string;
  readonly target?: string;
  readonly arguments: readonly Argument[];
}

/** What both kinds of task run have. */
interface TaskRequestBase extends RunRequestBase {
  /** What the task file knows as `.Values`; they beat the values file. */
  readonly values: readonly Argument[];
}

/** A task file that lies in the context. */
export interface FileTaskRunRequest extends TaskRequestBase {
  readonly type: 'FileTaskRunRequest';
  /** Path in the context. */
  readonly taskFilePath: string;
  readonly valuesFilePath?: string;
}

/** A task file that comes with the request. */
export interface EncodedTaskRunRequest extends TaskRequestBase {
  readonly type: 'EncodedTaskRunRequest';
  /** The YAML, in base64. */
  readonly encodedTaskContent: string;
  readonly encodedValuesContent?: string;
}

/** All kinds of run request, by `type`; defaults are already filled in. */
export type RunRequest = DockerBuildRequest | FileTaskRunRequest | EncodedTaskRunRequest;

/** What stands where a secret was, in all that is stored in the clear or shown. */
export const maskedValue = '********';
