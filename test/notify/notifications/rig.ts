import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request as it arrived. */
export interface Received {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A web server that keeps what it is sent; `answer` says what it does with the n-th request (n = 1, 2, …). */
export async function startReceiver(answer: (response: http.ServerResponse, count: number) => void) {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ url: request.url ?? '', headers: request.headers, body });
      answer(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, received };
}

/** Answers with a status and nothing else. */
export function say(status: number, headers: Record<string, string> = {}) {
  return (response: http.ServerResponse): void => {
    response.writeHead(status, headers).end();
  };
}
