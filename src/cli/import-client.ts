import { fail } from '../domain/failure.ts';
import type { ImportProgress } from '../domain/registry-import.ts';
import { readJson, type ApiTarget } from './api-call.ts';

/** An import as the API shows it. */
export interface ImportView {
  readonly name: string;
  readonly status: 'InProgress' | 'Succeeded' | 'Failed';
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly properties: {
    readonly source: string;
    readonly targets: readonly string[];
    readonly digest?: string;
    readonly progress: ImportProgress;
  };
}

/** The calls that concern imports. */
export interface ImportCalls {
  /** Begins an import, as `schemas/api/import-image.schema.json` has it; the same one that is under way is not begun twice. */
  importImage(body: object): Promise<ImportView>;
  import(id: string): Promise<ImportView>;
}

function readImport(document: unknown): ImportView {
  const { name, status } = (document ?? {}) as Partial<ImportView>;
  if (typeof name === 'string' && typeof status === 'string') return document as ImportView;
  throw fail('server-unreachable', 'the server answered with something that is no import');
}

/** Makes them. */
export function createImportCalls(target: ApiTarget): ImportCalls {
  return {
    importImage: async (body) =>
      readImport(await readJson(target, { method: 'POST', path: '/importImage', body, repeat: 'broken' })),
    import: async (id) => {
      const path = `/imports/${encodeURIComponent(id)}`;
      return readImport(await readJson(target, { method: 'GET', path, repeat: 'patient' }));
    },
  };
}
