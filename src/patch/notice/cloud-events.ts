import { fail } from '../../domain/failure.ts';
import { readAzureEvent } from './azure.ts';
import { readDistributionEvent } from './distribution.ts';
import { readGeneric } from './generic.ts';
import { readHarborData } from './harbor.ts';
import { headerOf, hear, type Heard, type Notice, type NoticeReader } from './heard.ts';
import { listOf, memberOf, textOf } from './members.ts';

interface CloudEvent {
  readonly type: string;
  /** Of the whole event, for attributes beyond the standard's. */
  readonly attributes: unknown;
  readonly data: unknown;
}

/** Images that a run of another Slipway has made. */
function readRun({ data }: CloudEvent): readonly Heard[] {
  const images = listOf(data, 'outputImages');
  if (images.length === 0) return [{ because: 'the run has made no images' }];
  return images.map((image) =>
    hear({
      registry: textOf(image, 'registry'),
      repository: textOf(image, 'repository'),
      tag: textOf(image, 'tag'),
      digest: textOf(image, 'digest'),
    }),
  );
}

/** An image of zot, which does not say where it is. */
function readZot({ data }: CloudEvent, registry: Notice['registry']): readonly Heard[] {
  const [repository, tag, digest] = [textOf(data, 'name'), textOf(data, 'reference'), textOf(data, 'digest')];
  return [hear({ registry, repository, tag, digest })];
}

/** What is told by events of a type, by its beginning; those that are no push are told apart by their full type. */
const readers: readonly (readonly [RegExp, (event: CloudEvent, registry: Notice['registry']) => readonly Heard[]])[] = [
  [/^dev\.slipway\.run\.succeeded$/, readRun],
  [
    /^harbor\.artifact\.pushed$/,
    ({ data, attributes }, registry) => readHarborData(data, textOf(attributes, 'operator'), registry),
  ],
  [/^Microsoft\.ContainerRegistry\.ImagePushed$/, ({ data }, registry) => [readAzureEvent(data, registry)]],
  [/^zotregistry\.image\.updated$/, readZot],
];
const otherTypes = /^(?:dev\.slipway|harbor|Microsoft\.ContainerRegistry|zotregistry)\./;

function readEvent(event: CloudEvent, registry: Notice['registry']): readonly Heard[] {
  const [, read] = readers.find(([type]) => type.test(event.type)) ?? [];
  if (read) return read(event, registry);
  const type = event.type.slice(0, 100);
  if (otherTypes.test(type)) return [{ because: `"${type}" tells of no push` }];
  if (memberOf(event.data, 'target') !== undefined) return [readDistributionEvent(event.data, registry)];
  return [readGeneric(event.data) ?? { because: `nothing is known of events of the type "${type}"` }];
}

function structured(event: unknown): CloudEvent {
  const type = textOf(event, 'type');
  if (type === undefined || textOf(event, 'specversion') === undefined)
    throw fail('invalid-request', 'type is missing: the body is no CloudEvent', { field: 'type' });
  return { type, attributes: event, data: memberOf(event, 'data') };
}

function eventsOf({ headers, body }: Notice): readonly CloudEvent[] {
  const type = headerOf(headers, 'ce-type');
  if (type !== undefined) return [{ type, attributes: { operator: headerOf(headers, 'ce-operator') }, data: body }];
  return Array.isArray(body) ? body.map(structured) : [structured(body)];
}

/**
 * CloudEvents 1.0 with JSON, binary, structured or in batches: another Slipway's notifications of runs, Harbor, Azure's Event Grid and zot by
 * their types; any other by its data, where that is `{image, digest?}` or an event of the Distribution registry.
 */
export const cloudEvents: NoticeReader = {
  name: 'cloud-events',
  recognises: ({ headers, body }) =>
    headerOf(headers, 'ce-type') !== undefined ||
    memberOf(Array.isArray(body) ? body[0] : body, 'specversion') !== undefined,
  read: (notice) => eventsOf(notice).flatMap((event) => readEvent(event, notice.registry)),
};
