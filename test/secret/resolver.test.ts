import { describe, expect, it } from 'vitest';
import { listVaultHosts } from '../../src/secret/resolver.ts';
import { createTestResolver, failureText, never, startVault } from './rig.ts';

const own = (values: Readonly<Record<string, Buffer>>) => (name: string) => Promise.resolve(values[name]);

describe('secrets', () => {
  it('without a URL come from the own store: texts as they are, other bytes in base64', async () => {
    const values = { text: Buffer.from('\ufeffpäss\n'), bytes: Buffer.from([0xff, 0xfe, 0x00]) };
    const resolver = createTestResolver({}, { own: own(values) });
    expect(await resolver.resolve({ id: 'text' }, never)).toBe('\ufeffpäss\n');
    expect(await resolver.resolve({ id: 'bytes' }, never)).toBe('//4A');
    expect(await failureText(resolver.resolve({ id: 'none' }, never))).toBe(
      'not-found: there is no secret "none" (set it with "slipway secret set none", or name the URL of its vault with keyvault)',
    );
  });

  it('at a URL that is none, or of no vault, fail with their names', async () => {
    const resolver = createTestResolver({});
    const of = (keyvault: string) => failureText(resolver.resolve({ id: 'db', keyvault }, never));
    expect(await of('https://')).toContain('invalid-request: the secret "db": its keyvault is no URL');
    expect(await of('https://vault.example.com/v1/kv/a')).toContain(
      'vault.example.com is no vault that this server asks',
    );
  });

  it('that do not come in time are given up, and so is what is stopped', async () => {
    const silent = await startVault(() => undefined);
    const hashicorp = { address: silent.url, login: { kind: 'token', token: { value: 't' } } } as const;
    const source = { id: 'db', keyvault: `${silent.url}/v1/kv/a` };
    const quick = createTestResolver({ hashicorp }, { timeoutMs: 30 });
    expect(await failureText(quick.resolve(source, never))).toBe('timed-out: the secret "db" did not come in time ()');
    const stopper = new AbortController();
    const stopped = createTestResolver({ hashicorp }).resolve(source, stopper.signal);
    stopper.abort(new Error('canceled'));
    await expect(stopped).rejects.toThrow('canceled');
  });

  it('whose token does not come are given up by all who wait for it, and one who is stopped does not stop the others', async () => {
    const vault = await startVault(() => undefined);
    const login = { kind: 'approle', roleId: 'r', secretId: { value: 's' } } as const;
    const resolver = createTestResolver({ hashicorp: { address: vault.url, login } }, { timeoutMs: 200 });
    const source = { id: 'db', keyvault: `${vault.url}/v1/kv/a` };
    const stopper = new AbortController();
    const first = failureText(resolver.resolve(source, stopper.signal));
    const second = failureText(resolver.resolve(source, never));
    stopper.abort(new Error('canceled'));
    expect(await first).toContain('canceled');
    expect(await second).toContain('timed-out');
  });

  it('that are too large are refused', async () => {
    const vault = await startVault(() => ({ body: { data: { a: 'x'.repeat(2 * 1024 * 1024) } } }));
    const hashicorp = { address: vault.url, login: { kind: 'token', token: { value: 't' } } } as const;
    const reading = createTestResolver({ hashicorp }).resolve({ id: 'db', keyvault: `${vault.url}/v1/kv/a` }, never);
    expect(await failureText(reading)).toContain('too-large');
  });

  it('may be had from private addresses that an operator named, and from no others', () => {
    const login = { kind: 'token', token: { value: 't' } } as const;
    expect(listVaultHosts({})).toEqual([]);
    expect(
      listVaultHosts({
        azure: { managedIdentity: true, servers: ['https://kv.corp'], authority: 'http://login.corp:8080/x' },
        hashicorp: { address: 'https://[::1]:8200', login },
      }),
    ).toEqual(['kv.corp:443', 'login.corp:8080', '169.254.169.254:80', '[::1]:8200']);
  });
});
