import { fn, type FunctionTable } from './define.ts';

/** `path.Clean`: the shortest name of the same path. */
function clean(path: string): string {
  const isRooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isRooted) parts.push(part);
  }
  return (isRooted ? '/' : '') + parts.join('/') || '.';
}

/** `path.Base`: what comes after the last slash. */
function base(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

const dir = (path: string): string => clean(path.slice(0, path.lastIndexOf('/') + 1));
const extension = (path: string): string => /\.[^./]*$/.exec(path.slice(path.lastIndexOf('/') + 1))?.[0] ?? '';

const baseFunction = fn(['string'], ([path]) => base(path));
const dirFunction = fn(['string'], ([path]) => dir(path));
const cleanFunction = fn(['string'], ([path]) => clean(path));
const extFunction = fn(['string'], ([path]) => extension(path));
const isAbsFunction = fn(['string'], ([path]) => path.startsWith('/'));

/** Sprig's functions on paths with slashes; those for the paths of the host are the same on Linux. */
export const pathFunctions: FunctionTable = {
  base: baseFunction,
  dir: dirFunction,
  clean: cleanFunction,
  ext: extFunction,
  isAbs: isAbsFunction,
  osBase: baseFunction,
  osDir: dirFunction,
  osClean: cleanFunction,
  osExt: extFunction,
  osIsAbs: isAbsFunction,
};
