import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, schedule } from '../rig/quick-build.ts';

/** What a vault of either kind answers, and the authority of the one; by path. */
const documents: Readonly<Record<string, unknown>> = {
  '/tenant/oauth2/v2.0/token': { access_token: 'bearer', expires_in: 3600 },
  '/secrets/azure-one?api-version=7.4': { value: 'sesame-of-azure' },
  '/v1/kv/data/app': { data: { data: { password: 'sesame-of-hashicorp' }, metadata: {} } },
};

let vault: Server;
let vaultUrl: string;
let slipway: Installation;

beforeAll(async () => {
  vault = createServer((request, response) => {
    const { authorization = request.headers['x-vault-token'] } = request.headers;
    const path = request.url ?? '';
    const isAllowed = path.endsWith('/token') || authorization === 'Bearer bearer' || authorization === 'root';
    const document = documents[path];
    response.writeHead(isAllowed ? (document === undefined ? 404 : 200) : 401);
    response.end(JSON.stringify((isAllowed ? document : undefined) ?? {}));
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
  vaultUrl = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  slipway = await startInstallation({
    env: {
      SLIPWAY_AZURE_TENANT_ID: 'tenant',
      SLIPWAY_AZURE_CLIENT_ID: 'client',
      SLIPWAY_AZURE_CLIENT_SECRET: 'client-secret',
      SLIPWAY_AZURE_AUTHORITY: vaultUrl,
      SLIPWAY_AZURE_VAULTS: vaultUrl,
      SLIPWAY_VAULT_ADDR: vaultUrl,
      SLIPWAY_VAULT_TOKEN: 'root',
    },
  });
}, 60_000);
afterAll(async () => {
  await slipway.stop();
  vault.closeAllConnections();
  vault.close();
}, 60_000);

async function setSecret(name: string, value: Buffer): Promise<void> {
  await slipway.request(`/api/v1/secrets/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ valueBase64: value.toString('base64') }),
  });
}

async function runTask(lines: readonly string[]) {
  const encodedTaskContent = Buffer.from(['version: v1.1.0', ...lines].join('\n')).toString('base64');
  const request = { type: 'EncodedTaskRunRequest', dockerFilePath: undefined, encodedTaskContent };
  const { runId } = (await schedule(slipway, request)).properties;
  const run = (await ended(slipway, runId)).properties;
  const events = await (await slipway.request(`/api/v1/runs/${runId}/events`)).text();
  return { run, log: await getLog(slipway, runId), events };
}

describe('a task with secrets', () => {
  it('has those of the own store as variables and as files, byte for byte, masked in its log', async () => {
    await setSecret('token', Buffer.from('open-sesame "quoted": #1'));
    await setSecret('bytes', Buffer.from([0xff, 0x00, 0xfe, 0x0a]));
    const { run, log, events } = await runTask([
      'secrets: [{ id: token }, { id: bytes }]',
      'volumes:',
      '  - name: keys',
      '    secret:',
      '      token: "{{.Secrets.token | b64enc}}"',
      '      bytes: "{{.Secrets.bytes}}"',
      'steps:',
      '  - cmd: busybox:latest sh -c \'echo "env $TOKEN, ${#TOKEN} characters"\'',
      '    env: [{{printf "TOKEN=%s" .Secrets.token | toJson}}]',
      "  - cmd: busybox:latest sh -c 'cat /keys/token; echo; base64 /keys/token; od -An -tx1 /keys/bytes; wc -c < /keys/token'",
      '    volumeMounts: [{ name: keys, mountPath: /keys }]',
    ]);
    expect(run, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('env ********, 24 characters');
    expect(log).toContain('ff 00 fe 0a');
    expect(log).toMatch(/^(.*\| )?24$/m);
    expect(log + events).not.toMatch(/sesame|b3Blbi1zZXNhbWU/);
  });

  it('has those of an Azure Key Vault and of a HashiCorp Vault', async () => {
    const { run, log, events } = await runTask([
      'secrets:',
      `  - { id: azure, keyvault: "${vaultUrl}/secrets/azure-one" }`,
      `  - { id: hashicorp, keyvault: "${vaultUrl}/v1/kv/data/app#password" }`,
      'steps:',
      '  - cmd: busybox:latest sh -c \'echo "$A-$H ${#A} ${#H}"\'',
      '    env: ["A={{.Secrets.azure}}", "H={{.Secrets.hashicorp}}"]',
    ]);
    expect(run, log).toMatchObject({ status: 'Succeeded' });
    expect(log).toContain('********-******** 15 19');
    expect(log + events).not.toContain('sesame');
  });

  it.each([
    ['id: nowhere', 'there is no secret "nowhere"'],
    ['id: db, keyvault: "VAULT/secrets/none"', 'the secret "db": the key vault HOST has no such secret (404)'],
    ['id: db, keyvault: "https://vault.invalid/x"', 'the secret "db": vault.invalid is no vault that this server asks'],
  ])('fails when it cannot have one, with its name: %s', async (secret, message) => {
    const { run } = await runTask([
      `secrets: [{ ${secret.replace('VAULT', vaultUrl)} }]`,
      'steps:',
      '  - cmd: busybox:latest true',
    ]);
    expect(run.status).toBe('Failed');
    expect(run.runErrorMessage).toBe(message.replace('HOST', new URL(vaultUrl).host));
  });

  it('says what is wrong with what a secret was put into, without the secret', async () => {
    await setSecret('odd', Buffer.from('sesame: [broken'));
    const { run, log } = await runTask([
      'secrets: [{ id: odd }]',
      'steps:',
      '  - cmd: busybox:latest true',
      '    env: [{{.Secrets.odd}}]',
    ]);
    expect(run.status).toBe('Failed');
    expect(run.runErrorMessage).toMatch(/^task\.yaml:\d+:\d+: /);
    expect(`${run.runErrorMessage ?? ''} ${log}`).not.toContain('sesame: [broken');
  });
});
