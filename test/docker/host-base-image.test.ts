import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createCommands } from '../../src/host/commands.ts';
import { ensureEngine, usualSockets } from '../../src/host/engine.ts';
import { nodeStandIn } from '../rig/stand-ins.ts';

describe('images made of this machine’s own programs', () => {
  const commands = createCommands();

  async function runIn(image: string, ...words: string[]): Promise<string> {
    const tools = { commands, say: () => undefined, isRoot: false };
    const usual = usualSockets(homedir(), process.env['XDG_RUNTIME_DIR']);
    const host = process.env['DOCKER_HOST'];
    const engine = await ensureEngine(tools, { host, usual, dataDir: '/nonexistent', install: false });
    const args = ['-H', engine.host, 'run', '--rm', '--network', 'none', image, ...words];
    const { code, stdout, stderr } = await commands.run('docker', args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.trim();
  }

  it('run Node.js with npm and a shell', async () => {
    expect(await runIn(nodeStandIn, 'sh', '-c', 'node --version && npm --version')).toContain(process.version);
  });

  it('look up names as a system does', async () => {
    const program = "require('dns').lookup('localhost', (fault, address) => console.log(address))";
    expect(await runIn(nodeStandIn, 'node', '-e', program)).toMatch(/^(127\.0\.0\.1|::1)$/);
  });

  it('run Redis', async () => {
    expect(await runIn('redis:7-alpine', 'redis-server', '--version')).toContain('Redis server');
  });
});
