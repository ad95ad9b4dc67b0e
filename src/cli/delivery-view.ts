import { cleanLine } from './clean-line.ts';
import type { Colors } from './screen.ts';
import type { DeliveryView, RepositoryWebhook, TaskDocument, WebhookSetUp } from './task-types.ts';
import { formatAge, formatTable } from './words.ts';

/** What a delivery came to, in a few words: `web-app: ca1`. */
function summarise({ verdicts, notes, status }: DeliveryView): string {
  const words = verdicts.map(({ task, runId, because }) => `${task}: ${runId ?? because ?? '-'}`);
  if (words.length > 0) return words.join('; ');
  return notes[0] ?? (status === 'received' ? 'is being worked off' : 'no task watches it');
}

function shortRef({ ref }: DeliveryView): string {
  return ref?.replace(/^refs\/(?:heads|tags)\//, '') ?? '-';
}

/** The deliveries as a table, newest first; `now` in milliseconds. */
export function formatDeliveries(list: readonly DeliveryView[], colors: Colors, now: number): readonly string[] {
  const rows = list.map((one) => [
    one.id,
    formatAge(Date.parse(one.receivedTime), now),
    one.hook ?? 'shared',
    one.event,
    shortRef(one),
    one.status,
    summarise(one),
  ]);
  const heads = ['DELIVERY', 'RECEIVED', 'WEBHOOK', 'EVENT', 'REF', 'STATUS', 'CAME TO'];
  const [head = '', ...lines] = formatTable([heads, ...rows]);
  return [colors.bold(head), ...lines].map((line) => cleanLine(line, true));
}

/** Everything about one delivery, a line for each thing. */
export function formatDelivery(delivery: DeliveryView): readonly string[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Delivery:', delivery.id],
    ['Received:', delivery.receivedTime],
    ['Webhook:', delivery.hook ?? 'shared'],
    ['From:', delivery.provider],
    ['Event:', delivery.event],
    ['Repository:', delivery.repository],
    ['Ref:', delivery.ref],
    ['Commit:', delivery.commit],
    ['Status:', delivery.status],
    ['Arrivals:', String(delivery.arrivals)],
  ];
  const known = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const verdicts = delivery.verdicts.map(({ task, runId, because }) => [
    `  ${task}`,
    runId === undefined
      ? `no run: ${because ?? 'unknown'}`
      : `run ${runId}${because === undefined ? '' : ` (${because})`}`,
  ]);
  const lines = [
    ...formatTable(known),
    ...(verdicts.length === 0 ? [] : ['Came to:', ...formatTable(verdicts)]),
    ...delivery.notes.map((note) => `Note: ${note}`),
  ];
  return lines.map((line) => cleanLine(line, false));
}

/** What is to be entered at a forge by hand. */
export function formatSetUp(
  { url, secret }: Omit<WebhookSetUp, 'webhooks'>,
  one: RepositoryWebhook,
): readonly string[] {
  return [
    `Add a webhook to ${one.repositoryUrl}:`,
    ...formatTable([
      ['  URL', url],
      ['  Secret', secret],
      ['  Content type', 'application/json'],
      ['  Events', one.events.join(', ')],
    ]),
  ].map((line) => cleanLine(line, false));
}

const eventNames = { commit: 'push', pullrequest: 'pull request', tag: 'tag' } as const;

/** A task's webhooks as nobody has registered them; the task comes with its secrets. Undefined when it watches no repository. */
export function readSetUp({ properties }: TaskDocument): WebhookSetUp | undefined {
  const { webhook, trigger } = properties;
  const [secret] = webhook?.secrets ?? [];
  if (webhook === undefined || secret === undefined) return undefined;
  const webhooks = (trigger?.sourceTriggers ?? []).map(({ sourceRepository, sourceTriggerEvents }) => ({
    repositoryUrl: sourceRepository.repositoryUrl.replace(/#.*$/s, ''),
    events: sourceTriggerEvents.map((event) => eventNames[event]),
    isRegistered: false,
  }));
  return { url: webhook.url, secret, webhooks };
}
