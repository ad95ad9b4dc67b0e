import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureControlGroups, findControlGroups } from '../../src/host/control-groups.ts';
import { createFakeTools } from './fakes.ts';

describe('control groups', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'slipway-cgroup-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('are found in both versions', () => {
    expect(findControlGroups(root)).toBeUndefined();
    mkdirSync(join(root, 'memory'));
    expect(findControlGroups(root)).toBe(1);
    writeFileSync(join(root, 'cgroup.controllers'), '');
    expect(findControlGroups(root)).toBe(2);
  });

  it('are mounted only where they are not', async () => {
    const tools = createFakeTools({ isRoot: true });
    await ensureControlGroups(tools, root);
    expect(tools.calls).toEqual([`mount -t cgroup2 cgroup2 ${root}`]);
    mkdirSync(join(root, 'memory'));
    await ensureControlGroups(tools, root);
    expect(tools.calls).toHaveLength(1);
  });
});
