import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { detectFirewall, planRuleRemoval } from '../../src/host/firewall.ts';
import { createFakeTools } from './fakes.ts';

describe('the packet filter of a private engine', () => {
  it('is the one installed when it works', async () => {
    const { commands } = createFakeTools({ installed: ['iptables', 'iptables-legacy'] });
    expect(await detectFirewall(commands, '/nonexistent')).toEqual({ kind: 'system' });
  });

  it('is the older one on a kernel that takes only that', async () => {
    const answer = (line: string) => ({ code: line.startsWith('iptables ') ? 1 : 0 });
    const { commands } = createFakeTools({ installed: ['iptables', 'iptables-legacy'], answer });
    const directory = mkdtempSync(join(tmpdir(), 'slipway-firewall-'));
    expect(await detectFirewall(commands, directory)).toEqual({ kind: 'legacy', path: directory });
    rmSync(directory, { recursive: true });
  });

  it('is none where none works', async () => {
    const { commands } = createFakeTools({ installed: ['iptables'], answer: () => ({ code: 4 }) });
    expect(await detectFirewall(commands, '/nonexistent')).toEqual({ kind: 'none' });
  });

  it('is cleaned of the rules and chains of the engine, and of no others', () => {
    const listing = [
      '-P FORWARD ACCEPT',
      '-N DOCKER',
      '-N DOCKER-USER',
      '-N KUBE',
      '-A FORWARD -j DOCKER-USER',
      '-A FORWARD -i docker0 -j ACCEPT',
      '-A FORWARD -i eth0 -j KUBE',
      '-A DOCKER -i docker0 -j RETURN',
    ].join('\n');
    expect(planRuleRemoval(listing, 'docker0').map((words) => words.join(' '))).toEqual([
      '-D FORWARD -j DOCKER-USER',
      '-D FORWARD -i docker0 -j ACCEPT',
      '-F DOCKER',
      '-F DOCKER-USER',
      '-X DOCKER',
      '-X DOCKER-USER',
    ]);
  });
});
