import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { VaultSettings } from '../../src/domain/vaults.ts';
import { createEgress } from '../../src/egress/egress.ts';
import { createSecretResolver, listVaultHosts, type SecretResolverOptions } from '../../src/secret/resolver.ts';

/** A request as it came. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface VaultReply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A server that stands for a vault, an authority or a metadata service; undefined leaves a request unanswered. Ends with the test. */
export async function startVault(reply: (asked: Asked) => VaultReply | undefined) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      asked.push(one);
      const answer = reply(one);
      if (answer === undefined) return;
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, paths: () => asked.map(({ method, path }) => `${method} ${path}`) };
}

/** A resolver on the real client for outgoing requests, which lets through what the settings name and `allow` adds. */
export function createTestResolver(
  vaults: VaultSettings,
  { allow = [], ...more }: Partial<SecretResolverOptions> & { readonly allow?: readonly string[] } = {},
) {
  const egress = createEgress({ allow: [...listVaultHosts(vaults), ...allow] });
  return createSecretResolver({
    own: () => Promise.resolve(undefined),
    vaults,
    fetch: (url, request) => egress.fetch(url, request),
    backoffMs: [1, 1],
    ...more,
  });
}

export const never = new AbortController().signal;

/** What a rejection says of itself: reason, message and hint as one text. */
export function failureText(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing failed',
    (error: unknown) => {
      const { failure } = error as { readonly failure?: { reason: string; message: string; hint?: string } };
      return failure ? `${failure.reason}: ${failure.message} (${failure.hint ?? ''})` : String(error);
    },
  );
}
