import type { BlobStore } from '../blob/ports.ts';

/** Writes a document as JSON; false only when `ifAbsent` found one. */
export function putDocument(storage: BlobStore, key: string, document: object, ifAbsent = false): Promise<boolean> {
  return storage.put(key, Buffer.from(JSON.stringify(document)), { ifAbsent });
}

/**
 * Reads a document that {@link putDocument} wrote; undefined when there is none, or when it is no JSON object
 * (`onDamage` is told: something else has written into the store).
 */
export async function readDocument<T extends object>(
  storage: BlobStore,
  key: string,
  onDamage: (key: string) => void,
): Promise<T | undefined> {
  const bytes = await storage.readSmall(key);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // said below: damage is one thing, however it shows
  }
  onDamage(key);
  return undefined;
}

/** Calls `visit` for each key that begins with `prefix`, a bounded number at a time. */
export async function forEachKey(
  storage: BlobStore,
  prefix: string,
  visit: (key: string) => Promise<void>,
): Promise<void> {
  const atOnce = 32;
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Awaited<ReturnType<BlobStore['list']>> = await storage.list(prefix, { after });
    for (let start = 0; start < page.keys.length; start += atOnce) {
      await Promise.all(page.keys.slice(start, start + atOnce).map(visit));
    }
    after = page.next;
  }
}
