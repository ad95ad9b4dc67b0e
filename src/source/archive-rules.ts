import { fail } from '../domain/failure.ts';
import type { TarEntry } from './tar-reader.ts';

type Known = 'file' | 'directory' | 'symlink';

/**
 * What the names and links of an archive must keep to (field-notes.md §3, row 10): nothing absolute, nothing out of the
 * root, no entry through a symbolic link, no name that changes its type. `add` and `finish` throw `invalid-context`.
 */
export class ArchiveRules {
  readonly #known = new Map<string, Known>();
  /** Links with `..` behind a name, to be judged when all links are known. */
  readonly #later: { readonly name: string; readonly target: string }[] = [];

  add(entry: TarEntry): void {
    const name = normalizeName(entry);
    if (name === '') return;
    this.#addParents(name);
    switch (entry.kind) {
      case 'special':
        throw bad(entry.name, 'is a device or a pipe');
      case 'link':
        this.#checkHardLink(entry);
        this.#set(name, 'file');
        return;
      case 'symlink':
        this.#checkSymlink(name, entry.linkName);
        this.#set(name, 'symlink');
        return;
      case 'file':
      case 'directory':
        this.#set(name, entry.kind);
    }
  }

  /** Judges the links that needed the whole archive. */
  finish(): void {
    for (const { name, target } of this.#later) {
      const parts = name.split('/').slice(0, -1);
      for (const part of target.split('/')) {
        if (part === '..' && this.#isBehindLink(parts)) {
          throw bad(name, `is a link through another link to ${JSON.stringify(target)}`);
        }
        step(parts, part);
      }
    }
  }

  /** True when the archive holds a file or a link of that name (`./` and double slashes do not matter). */
  hasFile(path: string): boolean {
    const kind = this.#known.get(
      path
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/'),
    );
    return kind === 'file' || kind === 'symlink';
  }

  #addParents(name: string): void {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
      const parent = name.slice(0, at);
      const kind = this.#known.get(parent);
      if (kind === undefined) this.#known.set(parent, 'directory');
      else if (kind === 'symlink') throw bad(name, `lies behind the symbolic link ${JSON.stringify(parent)}`);
      else if (kind === 'file') throw bad(name, `lies in ${JSON.stringify(parent)}, which is a file`);
    }
  }

  #set(name: string, kind: Known): void {
    const before = this.#known.get(name);
    if (before !== undefined && before !== kind) throw bad(name, `occurs twice, as a ${before} and as a ${kind}`);
    this.#known.set(name, kind);
  }

  #checkHardLink(entry: TarEntry): void {
    const target = normalizeName({ ...entry, name: entry.linkName });
    if (this.#known.get(target) !== 'file') {
      throw bad(
        entry.name,
        `is a hard link to ${JSON.stringify(entry.linkName)}, which is no earlier file of the archive`,
      );
    }
  }

  #checkSymlink(name: string, target: string): void {
    const isOutside = target === '' || target.startsWith('/') || !staysInside(name, target);
    if (isOutside) throw bad(name, `is a symbolic link out of the archive, to ${JSON.stringify(target)}`);
    // `..` behind a name is only what it seems when that name is a real directory.
    if (/(?:^|\/)(?!\.{0,2}\/)[^/]+\/(?:.*\/)?\.\.(?:\/|$)/.test(target)) this.#later.push({ name, target });
  }

  #isBehindLink(parts: readonly string[]): boolean {
    return parts.some((_, at) => this.#known.get(parts.slice(0, at + 1).join('/')) === 'symlink');
  }
}

/** True when a link at `name` to the relative path `target` does not leave the root. */
export function staysInside(name: string, target: string): boolean {
  const parts = name.split('/').slice(0, -1);
  return target.split('/').every((part) => step(parts, part));
}

/** Follows one part of a path; false when it leaves the root. */
function step(parts: string[], part: string): boolean {
  if (part === '..') return parts.pop() !== undefined;
  if (part !== '' && part !== '.') parts.push(part);
  return true;
}

/** The name without `./`, doubled and trailing slashes; empty for the root, which az writes as `/`. */
function normalizeName(entry: TarEntry): string {
  if (/[\u0000-\u001f\u007f]/.test(entry.name)) throw bad(entry.name, 'has control characters in its name');
  const parts = entry.name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bad(entry.name, 'leaves the root with ".."');
  if (parts.length > 0 && entry.name.startsWith('/')) throw bad(entry.name, 'has an absolute name');
  if (parts.length === 0 && entry.kind !== 'directory') throw bad(entry.name, 'is the root, but no directory');
  return parts.join('/');
}

function bad(name: string, why: string): Error {
  return fail('invalid-context', `${JSON.stringify(name.slice(0, 300))} in the archive ${why}`);
}
