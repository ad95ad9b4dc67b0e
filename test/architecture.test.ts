import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { beforeAll, describe, expect, it } from 'vitest';
import { judgeImport, roomOf, type Import } from './config/rooms.ts';

const root = new URL('..', import.meta.url).pathname;

async function cruiseSources(): Promise<ICruiseResult> {
  const options = {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    ruleSet: { forbidden: [{ name: 'no-circular', severity: 'error' as const, from: {}, to: { circular: true } }] },
    validate: true,
  };
  const { output } = await cruise(['src', 'workers'], options, { extensions: ['.ts', '.js', '.cjs', '.mjs'] });
  if (typeof output === 'string') throw new Error('dependency-cruiser answered with text instead of modules');
  return output;
}

describe('architecture', () => {
  let result: ICruiseResult;
  let imports: Import[];

  beforeAll(async () => {
    result = await cruiseSources();
    imports = result.modules.flatMap((module) =>
      module.dependencies.map((dependency) => ({
        from: module.source,
        to: dependency.resolved,
        isTypeOnly: dependency.dependencyTypes.includes('type-only'),
      })),
    );
  }, 60_000);

  it('sees the whole product', () => {
    const sources = result.modules.filter((module) => roomOf(module.source) !== undefined);
    expect(sources.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(30);
  });

  it('has only imports that the table of DESIGN.md allows', () => {
    expect(imports.map(judgeImport).filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('has no import that resolves to nothing', () => {
    const missing = result.modules.filter((module) => module.couldNotResolve === true).map((module) => module.source);
    expect(missing).toEqual([]);
  });

  it('has no circular imports, types included', () => {
    expect(result.summary.violations.map((violation) => `${violation.from} → ${violation.to}`)).toEqual([]);
  });
});

describe('the table of imports', () => {
  const judge = (from: string, to: string, isTypeOnly = false) => judgeImport({ from, to, isTypeOnly });

  it('lets a room import the types and the ports of another where it says so, and no more', () => {
    expect(judge('src/http/app.ts', 'src/store/redis/store.ts', true)).toBeUndefined();
    expect(judge('src/http/app.ts', 'src/store/ports.ts')).toBeUndefined();
    expect(judge('src/http/app.ts', 'src/store/redis/store.ts')).toContain('only types and ports');
  });

  it('forbids what it does not name', () => {
    expect(judge('src/domain/run.ts', 'src/store/ports.ts', true)).toContain('may not import');
    expect(judge('src/registry/routes.ts', 'src/http/app.ts')).toContain('may not import');
    expect(judge('src/attic/old.ts', 'src/domain/run.ts')).toContain('no room');
  });

  it('keeps composition roots at the top', () => {
    expect(judge('workers/run-worker.ts', 'src/runner/docker/index.ts')).toBeUndefined();
    expect(judge('src/http/app.ts', 'src/main.ts')).toContain('nothing imports a composition root');
  });
});
