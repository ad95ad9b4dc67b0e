import type { ImageIdentity } from '../../domain/dependencies.ts';
import { isDigest } from '../../domain/digest.ts';
import { FailureError } from '../../domain/failure.ts';
import { identifyImage, parseImageReference } from '../../domain/image-reference.ts';

/** Headers by name in lower case, as node:http gives them. */
export type NoticeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a registry has sent. */
export interface Notice {
  readonly headers: NoticeHeaders;
  /** The body, parsed. */
  readonly body: unknown;
  /** The registry's host as images name it, where whoever set up the webhook said it: it counts more than what the body says. */
  readonly registry?: string | undefined;
}

/** An image that a notice tells of (with a tag; its digest where it was said), or something that is no change of a base, and why. */
export type Heard =
  { readonly image: ImageIdentity; readonly by?: string } | { readonly subject?: string; readonly because: string };

/** How one kind of registry tells of pushes. */
export interface NoticeReader {
  /** Its name in the URL of the webhook. */
  readonly name: string;
  /** True for a notice that looks like one of its own. */
  recognises(notice: Notice): boolean;
  /** What the notice tells, in its order. Throws `invalid-request` for a body that it cannot make out. */
  read(notice: Notice): readonly Heard[];
}

/** A push as a notice names it. */
export interface NamedPush {
  /** The registry's host. */
  readonly registry: string | undefined;
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  readonly digest?: string | undefined;
  readonly by?: string | undefined;
}

/** The first value of a header. */
export function headerOf(headers: NoticeHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** What may be shown of a text that came from outside: one line, not too long. */
function clean(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\uffff]/g, '?').slice(0, 200);
}

function identify(registry: string, repository: string, tag: string): ImageIdentity | string {
  try {
    const parsed = parseImageReference(`${registry}/${repository}:${tag}`);
    return parsed.registry === undefined ? `"${clean(registry)}" is no registry's host` : identifyImage(parsed);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return error.failure.message;
  }
}

function subjectOf({ registry, repository = '', tag }: NamedPush): string {
  return clean([registry, repository].filter(Boolean).join('/') + (tag === undefined ? '' : `:${tag}`));
}

function whyIgnored({ registry, repository, tag }: NamedPush): string | undefined {
  if (repository === undefined) return 'it names no repository';
  if (tag === undefined || isDigest(tag)) return 'it was pushed without a tag';
  return registry === undefined ? 'it does not say which registry it is of: add ?registry=HOST to the URL' : undefined;
}

/** Reads a push: without a tag it changes no base, and without a registry nobody knows which. */
export function hear(push: NamedPush): Heard {
  const { registry = '', repository = '', tag = '', digest, by } = push;
  const image = whyIgnored(push) ?? identify(registry, repository, tag);
  if (typeof image === 'string') return { subject: subjectOf(push), because: image };
  return {
    image: { ...image, ...(digest !== undefined && isDigest(digest) && { digest }) },
    ...(by !== undefined && { by: clean(by) }),
  };
}
