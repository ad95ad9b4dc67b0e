import { fail } from '../../domain/failure.ts';
import { azure } from './azure.ts';
import { cloudEvents } from './cloud-events.ts';
import { distribution } from './distribution.ts';
import { dockerHub } from './docker-hub.ts';
import { generic } from './generic.ts';
import { github } from './github.ts';
import { harbor } from './harbor.ts';
import type { Notice, NoticeReader } from './heard.ts';
import { quay } from './quay.ts';

/** Those that are known by headers first. */
const readers: readonly NoticeReader[] = [github, cloudEvents, dockerHub, harbor, quay, distribution, azure, generic];

const names = readers.map(({ name }) => name).join(', ');

/** The reader of that name, in any letter case. Throws `not-found` that names those there are. */
export function readerNamed(name: string): NoticeReader {
  const found = readers.find((reader) => reader.name === name.toLowerCase());
  if (found !== undefined) return found;
  throw fail('not-found', `"${name.slice(0, 100)}" is no kind of registry that is known here`, {
    hint: `one of ${names}; without any, it is seen by what is sent`,
  });
}

/** The reader that knows a notice by what it looks like. Throws `invalid-request` when none does. */
export function recogniseNotice(notice: Notice): NoticeReader {
  const found = readers.find((reader) => reader.recognises(notice));
  if (found !== undefined) return found;
  throw fail('invalid-request', 'the payload is of no kind that is known here', {
    hint: `what is understood: ${names}; the generic one is {"image": "registry/repository:tag", "digest": "sha256:…"}`,
  });
}
