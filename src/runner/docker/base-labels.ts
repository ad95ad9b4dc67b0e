import type { ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { BuildStep } from '../../domain/step.ts';

/** The labels that say what an image stands on (OCI image-spec, annotations.md, "Pre-Defined Annotation Keys"). */
const nameLabel = 'org.opencontainers.image.base.name';
const digestLabel = 'org.opencontainers.image.base.digest';

/** The labels of a build that stands on `base`; none when its digest is not known. What the Dockerfile says itself stays. */
export function labelsOfBase(base: ImageIdentity | undefined, text: string): Readonly<Record<string, string>> {
  if (base?.digest === undefined) return {};
  return {
    ...(!text.includes(nameLabel) && { [nameLabel]: formatImageIdentity(base) }),
    ...(!text.includes(digestLabel) && { [digestLabel]: base.digest }),
  };
}

/** All labels that are given to a build: those of its base, and over them those of the step. */
export function givenLabels(
  step: BuildStep,
  ofBase: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { ...ofBase, ...Object.fromEntries(step.labels.map(({ name, value }) => [name, value])) };
}

/** The labels for `POST /build`. */
export function labelsQuery(labels: Readonly<Record<string, string>>): { readonly labels?: string } {
  return Object.keys(labels).length === 0 ? {} : { labels: JSON.stringify(labels) };
}
