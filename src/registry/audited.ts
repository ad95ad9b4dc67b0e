import { isDigest } from '../domain/digest.ts';
import type { AuditAction, AuditEntry } from './access/audit.ts';
import { acrPrefix, findAcrRoute } from './acr/routes.ts';
import { OciError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { findRoute } from './routes.ts';

/** What a request changes, for the audit; undefined: nothing that an image consists of. */
type Audited = Pick<AuditEntry, 'action' | 'repository' | 'reference'>;

/** The line of audit of a request that was answered, or refused with `error`; undefined: it asks for no change, or failed for another reason. */
export function auditOf(exchange: Exchange, time: string, error?: unknown): AuditEntry | undefined {
  const audited = findAudited(exchange.method, exchange.path);
  const isRefused = error instanceof OciError && (error.status === 401 || error.status === 403);
  if (audited === undefined || (error !== undefined && !isRefused)) return undefined;
  const { principal, address } = exchange;
  return {
    ...{ time, who: principal?.name ?? 'anonymous', ...audited },
    ...(address !== undefined && { address }),
    result: error === undefined ? 'done' : 'refused',
  };
}

function findAudited(method: string, path: string): Audited | undefined {
  if (method !== 'PUT' && method !== 'PATCH' && method !== 'DELETE') return undefined;
  return path.startsWith(acrPrefix) ? auditedByAcr(method, path) : auditedByOci(method, path);
}

function auditedByOci(method: string, path: string): Audited | undefined {
  const route = findRoute(path);
  if (route?.kind === 'manifest') {
    const action = method === 'PUT' ? 'push' : isDigest(route.reference) ? 'delete' : 'untag';
    return audited(action, route.name, route.reference);
  }
  if (route?.kind === 'blob' && method === 'DELETE') return audited('delete', route.name, route.digest);
  return undefined;
}

function auditedByAcr(method: string, path: string): Audited | undefined {
  const route = findAcrRoute(path);
  if (route === undefined || route.kind === 'catalog') return undefined;
  const reference = 'tag' in route ? route.tag : 'digest' in route ? route.digest : undefined;
  if (method === 'PATCH') return audited('change-attributes', route.name, reference);
  return method === 'DELETE' ? audited(route.kind === 'tag' ? 'untag' : 'delete', route.name, reference) : undefined;
}

function audited(action: AuditAction, repository: string, reference: string | undefined): Audited {
  // Names come from outside, and a line of a log has a length.
  const name = repository.slice(0, 255);
  return { action, repository: name, ...(reference !== undefined && { reference: reference.slice(0, 160) }) };
}
