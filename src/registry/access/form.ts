import { oci } from '../errors.ts';
import { announcedLength, readBody, type Exchange } from '../exchange.ts';

const mostBytes = 64 * 1024;
const maxMs = 30_000;

function tooLarge(): Error {
  return oci('SIZE_INVALID', `a form may have at most ${String(mostBytes)} bytes`, { status: 413 });
}

async function collect(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readBody(exchange)) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the form that a client posts (`application/x-www-form-urlencoded`), at most 64 KiB in 30 s.
 * @throws an OCI error for what is larger, and for another type.
 */
export async function readForm(exchange: Exchange): Promise<URLSearchParams> {
  const type = (exchange.req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded')
    throw oci('UNSUPPORTED', 'send a form: application/x-www-form-urlencoded', { status: 415 });
  if ((announcedLength(exchange.req) ?? 0) > mostBytes) throw tooLarge();
  const timer = setTimeout(() => exchange.req.destroy(), maxMs);
  try {
    return new URLSearchParams((await collect(exchange)).toString('utf8'));
  } finally {
    clearTimeout(timer);
  }
}
