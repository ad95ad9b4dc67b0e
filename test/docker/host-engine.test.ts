import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeEngine } from '../../src/host/engine-probe.ts';
import { ensureEngine } from '../../src/host/engine.ts';
import { findForeignEngine } from '../../src/host/foreign-engine.ts';
import { stopHost } from '../../src/host/stop.ts';
import { createHostTools } from '../../src/host/tools.ts';

const tools = createHostTools(() => undefined);

describe.runIf(tools.isRoot)('a private container engine', () => {
  const home = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const dataDir = join(home, 'data');
  const wish = { dataDir, install: false, usual: [], isIsolated: true };
  afterAll(async () => {
    await stopHost(tools, { dataDir, purge: true });
    rmSync(home, { recursive: true, force: true });
  });

  it('is started once, answers, and is gone with all that was its own', async () => {
    const first = await ensureEngine(tools, wish);
    expect(first).toMatchObject({ started: true, isPrivate: true });
    expect(first.host.startsWith(`unix://${dataDir}`)).toBe(true);
    expect(await ensureEngine(tools, wish)).toMatchObject({ host: first.host, started: false });
    expect(await stopHost(tools, { dataDir, purge: true })).toEqual({ redis: false, engine: true });
    expect(await probeEngine(first.host)).toMatchObject({ ok: false });
    expect(existsSync(dataDir)).toBe(false);
  });

  it('leaves the network of the engine beside it alone', async () => {
    const before = existsSync('/sys/class/net/docker0');
    await ensureEngine(tools, wish);
    await stopHost(tools, { dataDir });
    expect(existsSync('/sys/class/net/docker0')).toBe(before);
  });

  it.runIf(findForeignEngine() !== undefined)(
    'is not started beside an engine whose network it would break',
    async () => {
      const shared = ensureEngine(tools, { ...wish, isIsolated: false });
      await expect(shared).rejects.toThrow('a container engine runs');
    },
  );
});
