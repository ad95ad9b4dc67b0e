import type { sendUnaryData } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { readFields, textOf, writeFields } from '../../src/runner/docker/protobuf.ts';
import { methodNames, sessionServices } from '../../src/runner/docker/session-services.ts';

const offer = {
  credentials: {
    '127.0.0.1:5000': { userName: 'me', password: 'grün' },
    'docker.io': { userName: 'hub', password: 'whale' },
  },
  secrets: new Map([['TOKEN', 'value']]),
};

/** Asks a service of the session as BuildKit would; the texts of the answer's fields, or the error's code. */
function ask(method: string, request: Buffer): (string | number)[] | number {
  let result: (string | number)[] | number = -1;
  for (const { implementation } of sessionServices(offer)) {
    const handle = implementation[method] as ((call: object, callback: sendUnaryData<Buffer>) => void) | undefined;
    handle?.({ request }, (error, answer) => {
      if (error) result = (error as { code: number }).code;
      else
        result = readFields(answer ?? Buffer.alloc(0)).map((field) =>
          typeof field.value === 'number' ? field.value : textOf(field),
        );
    });
  }
  return result;
}

describe('a build’s session', () => {
  it('offers credentials, secrets and its own health', () => {
    expect(methodNames(sessionServices(offer))).toEqual([
      '/moby.filesync.v1.Auth/Credentials',
      '/moby.buildkit.secrets.v1.Secrets/GetSecret',
      '/grpc.health.v1.Health/Check',
    ]);
    expect(ask('Check', Buffer.alloc(0))).toEqual([1]);
  });

  it('gives each registry its own credentials, and an unknown one none', () => {
    expect(ask('Credentials', writeFields([[1, '127.0.0.1:5000']]))).toEqual(['me', 'grün']);
    expect(ask('Credentials', writeFields([[1, 'registry-1.docker.io']]))).toEqual(['hub', 'whale']);
    expect(ask('Credentials', writeFields([[1, 'elsewhere.example.com']]))).toEqual([]);
    expect(ask('Credentials', writeFields([[1, 'constructor']]))).toEqual([]);
  });

  it('gives a secret by its id, and says "not found" for others', () => {
    expect(ask('GetSecret', writeFields([[1, 'TOKEN']]))).toEqual(['value']);
    expect(ask('GetSecret', writeFields([[1, 'OTHER']]))).toBe(5);
  });

  it('refuses what it cannot read', () => {
    expect(ask('GetSecret', Buffer.from([0x0a, 0xff]))).toBe(3);
  });
});
