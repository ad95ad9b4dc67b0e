import { fail, type FailureError } from '../domain/failure.ts';

/** Other words for an architecture, each with the variant that it implies (containerd, "platforms"). */
const architectures: Readonly<Record<string, readonly [architecture: string, variant: string]>> = {
  i386: ['386', ''],
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  aarch64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

const known = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64', 'mips64le', 'ppc64', 'ppc64le', 'riscv64', 's390x'];
const systems = ['darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'solaris', 'windows'];

function faulty(text: string): FailureError {
  return fail('invalid-request', `"${text.slice(0, 100)}" is no platform`);
}

/** A variant that goes without saying is left out; `arm` always says its own. */
function variantOf(architecture: string, variant: string): string {
  const named = /^[0-9]/.test(variant) ? `v${variant}` : variant;
  if (architecture === 'arm') return named || 'v7';
  const silent = (architecture === 'arm64' && named === 'v8') || (architecture === 'amd64' && named === 'v1');
  return silent ? '' : named;
}

function complete(system: string, written: string, variant: string): string {
  const [architecture, implied] = Object.hasOwn(architectures, written)
    ? (architectures[written] ?? [written, ''])
    : [written, ''];
  const exact = variantOf(architecture, variant || implied);
  return `${system === 'macos' ? 'darwin' : system}/${architecture}${exact === '' ? '' : `/${exact}`}`;
}

/**
 * The one way to write a platform, `os/architecture[/variant]`: in lower case, by Go's names, without a variant that goes without saying.
 * An architecture alone is of Linux; a system alone is of the architecture that is given.
 * @throws `invalid-request` when it is none.
 */
export function normalizePlatform(text: string, architecture = 'amd64'): string {
  const parts = text.toLowerCase().split('/');
  const [first = '', second, variant = ''] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.()-]+$/.test(part))) throw faulty(text);
  if (second !== undefined) return complete(first, second, variant);
  if (systems.includes(first)) return complete(first, architecture, '');
  if (known.includes(first) || Object.hasOwn(architectures, first)) return complete('linux', first, '');
  throw faulty(text);
}

/** The same for a platform that others have to answer for: what is none stays as it is. */
export function normalizeIfPossible(text: string): string {
  try {
    return normalizePlatform(text);
  } catch {
    return text;
  }
}
