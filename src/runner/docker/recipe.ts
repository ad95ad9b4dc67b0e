import { createHash } from 'node:crypto';
import type { BuildStep } from '../../domain/step.ts';

/** Flags that say where layers may be taken from or what is told of the build, and change nothing in what is built. */
const passing = new Set(['cache-from', 'cache-to', 'provenance', 'sbom', 'attest']);

/**
 * A digest of the Dockerfile's text and of how it is built: context, target, platform, arguments, flags. Labels are left out, which change
 * nothing else in the image, and so are the values of secret arguments, which a digest could give away.
 */
export function digestRecipe(step: BuildStep, text: string, platform: string): string {
  const parts = [
    text,
    step.context,
    step.workingDirectory,
    step.dockerfile ?? null,
    step.target ?? null,
    platform,
    step.arguments.map(({ name, value, isSecret }) => (isSecret ? [name] : [name, value])),
    step.options.filter(({ name }) => !passing.has(name)).map(({ name, value = null }) => [name, value]),
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}
