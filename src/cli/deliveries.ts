import type { DeliveryTry, OutgoingDelivery } from '../domain/notification.ts';
import type { Cli } from './cli.ts';
import type { ExitCode } from './exit-codes.ts';
import { formatAge, formatTable } from './words.ts';

/** What is shown of something that is sent, whatever it tells of. */
type Sent = Pick<OutgoingDelivery, 'id' | 'status' | 'createdTime' | 'tries'>;

/** What came of a try, in words. */
function describeTry({ status, because, milliseconds }: DeliveryTry): string {
  return because ?? `${String(status)} after ${milliseconds} ms`;
}

function describeLast({ tries }: Sent): string {
  const last = tries.at(-1);
  return last ? describeTry(last) : 'not tried yet';
}

/** Shows what came of a test event; 1 when it was not taken. */
export async function showPing({ screen }: Cli, sent: Sent): Promise<ExitCode> {
  await screen.result(sent);
  const isDelivered = sent.status === 'delivered';
  if (!screen.json)
    await screen.print(`${isDelivered ? 'Delivered' : 'Not delivered'}: ${describeLast(sent)} (${sent.id})`);
  return isDelivered ? 0 : 1;
}

/** Shows a list of what was sent; `tellsOf` gives the two columns behind the id, `none` is said of an empty one. */
export async function showSent<T extends Sent>(
  { screen, io }: Cli,
  all: readonly T[],
  { tellsOf, none }: { readonly tellsOf: (one: T) => readonly [string, string]; readonly none: string },
): Promise<ExitCode> {
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) screen.note(none);
  const rows = all.map((one) => [
    one.id,
    ...tellsOf(one),
    one.status,
    one.tries.length === 1 ? '1 try' : `${one.tries.length} tries`,
    formatAge(Date.parse(one.createdTime), io.clock.now()),
    describeLast(one),
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}
