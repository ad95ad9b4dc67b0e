import { oci } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { firstOf } from './first.ts';

/** Something in a list that can be ordered by its time. */
export interface Listed {
  /** A tag or digest. */
  readonly name: string;
  /** When it was changed last, ISO 8601. */
  readonly time: string;
}

/** One page of such a list. */
export interface ListPage<T> {
  readonly entries: readonly T[];
  /** `last` of the page that follows; undefined: there is none. */
  readonly next?: string;
}

type Order = 'none' | 'timeasc' | 'timedesc';
type Compare = (a: Listed, b: Listed) => number;

const usualEntries = 100;
/** Between time and name in `last`; neither has it. */
const mark = '$';

function byName(a: Listed, b: Listed): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function byTime(a: Listed, b: Listed): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : byName(a, b);
}

const orders: Readonly<Record<Order, Compare>> = {
  none: byName,
  timeasc: byTime,
  timedesc: (a, b) => byTime(b, a),
};

function parseOrder({ query }: Exchange): Order {
  const asked = query.get('orderby') ?? '';
  if (asked === '') return 'none';
  if (Object.hasOwn(orders, asked)) return asked as Order;
  throw oci('UNSUPPORTED', 'orderby must be timeasc, timedesc or none', { status: 400 });
}

function parseCount({ query }: Exchange, most: number): number {
  const asked = query.get('n') ?? '';
  if (asked === '') return Math.min(usualEntries, most);
  if (/^\d{1,9}$/.test(asked)) return Math.min(Number(asked), most);
  throw oci('UNSUPPORTED', 'n must be a number', { status: 400 });
}

/** Where the page before has ended; in an order by time that is a time and a name, since the entry may have moved or gone meanwhile. */
function parseLast({ query }: Exchange, order: Order, find: (name: string) => Listed | undefined): Listed | undefined {
  const last = query.get('last') ?? '';
  if (last === '') return undefined;
  if (order === 'none') return { name: last, time: '' };
  const at = last.indexOf(mark);
  if (at >= 0) return { time: last.slice(0, at), name: last.slice(at + 1) };
  const found = find(last);
  if (found !== undefined) return found;
  throw oci('UNSUPPORTED', 'last is in no list that is ordered by time; follow the Link header of the page before', {
    status: 400,
  });
}

/**
 * The page of a list that `n`, `last` and `orderby` ask for.
 * @param find an entry by its name.
 * @throws an OCI error with status 400 for values that cannot be.
 */
export function pageOfList<T extends Listed>(
  exchange: Exchange,
  list: { readonly all: Iterable<T>; readonly find: (name: string) => T | undefined },
  most: number,
): ListPage<T> {
  const order = parseOrder(exchange);
  const count = parseCount(exchange, most);
  const last = parseLast(exchange, order, list.find);
  const compare = orders[order];
  const rest = last === undefined ? list.all : after(list.all, last, compare);
  const found = firstOf(rest, count + 1, compare);
  const entries = found.slice(0, count);
  const end = entries.at(-1);
  if (end === undefined || found.length <= count) return { entries };
  return { entries, next: order === 'none' ? end.name : `${end.time}${mark}${end.name}` };
}

function* after<T extends Listed>(all: Iterable<T>, last: Listed, compare: Compare): Generator<T> {
  for (const one of all) if (compare(one, last) > 0) yield one;
}
