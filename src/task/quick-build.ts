import { fail } from '../domain/failure.ts';
import { formatImageReference, parseImageReference } from '../domain/image-reference.ts';
import type { RunId } from '../domain/run.ts';
import type { DockerBuildRequest, Platform } from '../domain/run-request.ts';
import type { Plan } from '../domain/step.ts';
import { createBuildStep, createPlan, createPushStep } from '../domain/step-defaults.ts';

/** What a quick build's image names may refer to, as `{{.Run.ID}}` and the like (acr-tasks.md §2.1). */
export interface RunVariables {
  readonly runId: RunId;
  /** Host of the embedded registry, as it stands in image names. */
  readonly registry: string;
  /** When the run was taken up. */
  readonly startedAt: Date;
  /** Of the worker's engine: `amd64`, `arm64`, … */
  readonly architecture: string;
  /** Known of runs whose context comes from git, or that an event or a task has made. */
  readonly commit?: string | undefined;
  readonly branch?: string | undefined;
  readonly gitTag?: string | undefined;
  readonly taskName?: string | undefined;
  readonly triggeredBy?: string | undefined;
}

/** The longest a build may take by itself, seconds; the run's own timeout is the one that people set. */
const buildSeconds = 28_800;
const pushSeconds = 3600;

/** `yyyyMMdd-HHmmssz` in UTC, with a literal lower-case z. */
export function formatRunDate(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19).replaceAll(':', '')}z`;
}

function variablesOf(run: RunVariables): Readonly<Record<string, string | undefined>> {
  return {
    ID: run.runId,
    Registry: run.registry,
    RegistryName: run.registry.split('.')[0] ?? run.registry,
    Date: formatRunDate(run.startedAt),
    OS: 'linux',
    Architecture: run.architecture,
    Commit: run.commit,
    Branch: run.branch,
    GitTag: run.gitTag,
    TaskName: run.taskName,
    TriggeredBy: run.triggeredBy,
  };
}

/** Fills `{{.Run.NAME}}` and `{{.Build.ID}}` in; anything else between braces is an error that names the field. */
export function renderImageName(name: string, run: RunVariables, field: string): string {
  const variables = variablesOf(run);
  return name.replace(/\{\{(.*?)\}\}/g, (whole, expression: string) => {
    const key = /^-?\s*\.(?:Run\.(\w+)|Build\.(ID))\s*-?$/.exec(expression.trim());
    const variable = key?.[1] ?? key?.[2] ?? '';
    const value = variables[variable];
    if (value !== undefined) return value;
    if (Object.hasOwn(variables, variable)) {
      throw fail('invalid-request', `"${whole}" in an image name: this run has no ${variable}`, { field });
    }
    throw fail('invalid-request', `"${whole}" in an image name is not known`, {
      field,
      hint: `use one of ${Object.keys(variables)
        .map((one) => `{{.Run.${one}}}`)
        .join(', ')}`,
    });
  });
}

/** The full reference of an image: our registry in front unless another known one stands there, `latest` when it has no tag. */
function qualify(name: string, registries: readonly string[], field: string): string {
  const image = parseImageReference(name, field);
  const isForeign = image.registry !== undefined && !registries.includes(image.registry);
  if (isForeign) {
    throw fail(
      'invalid-request',
      `"${name}" names the registry ${image.registry}, for which the run has no credentials`,
      {
        field,
        hint: `leave the registry out to push to ${registries[0]}, or give credentials for ${image.registry}`,
      },
    );
  }
  if (image.digest !== undefined) {
    throw fail('invalid-request', `"${name}" has a digest; an image that is yet to be built cannot have one`, {
      field,
    });
  }
  return formatImageReference({
    ...image,
    registry: image.registry ?? registries[0] ?? '',
    ...(image.tag === undefined && { tag: 'latest' as NonNullable<typeof image.tag> }),
  });
}

/** `os/architecture[/variant]` for the engine; undefined when no architecture was asked for. */
function formatPlatform(platform: Platform): string | undefined {
  if (platform.architecture === undefined) return undefined;
  const architecture = platform.architecture === 'x86' ? '386' : platform.architecture;
  return [platform.os, architecture, ...(platform.variant ? [platform.variant] : [])].join('/');
}

/**
 * Makes the plan of a quick build: one build step and, when images are to be pushed, one push step behind it.
 * @throws `invalid-request` that names the field (`imageNames[0]`).
 */
export function planQuickBuild(request: DockerBuildRequest, run: RunVariables): Plan {
  const registries = [run.registry, ...Object.keys(request.credentials.customRegistries)];
  const images = request.imageNames.map((name, index) => {
    const field = `imageNames[${index}]`;
    return qualify(renderImageName(name, run, field), registries, field);
  });
  const platform = formatPlatform(request.platform);
  const build = createBuildStep('build', {
    build: ['-f', request.dockerFilePath, ...images.flatMap((image) => ['-t', image]), '.'].join(' '),
    timeoutSeconds: buildSeconds,
    dockerfile: request.dockerFilePath,
    tags: [...new Set(images)],
    ...(request.target !== undefined && { target: request.target }),
    ...(platform !== undefined && { platform }),
    arguments: request.arguments,
    noCache: request.noCache,
  });
  if (!request.isPushEnabled || images.length === 0) return createPlan([build]);
  const push = createPushStep('push', {
    index: 1,
    needs: [build.id],
    timeoutSeconds: pushSeconds,
    images: build.tags,
  });
  return createPlan([build, push]);
}
