import type { ImportSource } from '../../domain/registry-import.ts';
import type { CopyEnd } from '../../registry-client/copy/ports.ts';

/** Opens a repository of another registry; everything that it does ends with the signal. */
export type OpenRemote = (
  source: ImportSource & { readonly registry: string },
  signal: AbortSignal,
) => Promise<CopyEnd> | CopyEnd;
