import { percentEncode } from '../text/escape.ts';
import { fromBytes, toBytes } from '../text/bytes.ts';
import { GoMap, kindName } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, type FunctionTable } from './define.ts';

interface Url {
  scheme: string;
  opaque: string;
  userinfo: string;
  host: string;
  path: string;
  query: string;
  fragment: string;
}

const userSafe = /[A-Za-z0-9\-_.~$&+,;=]/;
const hostSafe = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;
const pathSafe = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const fragmentSafe = /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/;

function fault(text: string, why: string): Error {
  return refuse(`unable to parse url: parse ${JSON.stringify(text)}: ${why}`);
}

/** Cuts a text at the first `separator`; the second part is empty when there is none. */
function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decodePercent(text: string, whole: string): string {
  if (!text.includes('%')) return text;
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (bad !== null) throw fault(whole, `invalid URL escape ${JSON.stringify(bad[0])}`);
  const bytes = toBytes(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++, length++) {
    const isEscape = bytes[at] === 0x25;
    bytes[length] = isEscape ? parseInt(bytes.toString('latin1', at + 1, at + 3), 16) : (bytes[at] ?? 0);
    if (isEscape) at += 2;
  }
  return fromBytes(bytes.subarray(0, length));
}

/** A URL by the rules of Go's `net/url`. */
function parseUrl(text: string): Url {
  if (/[\x00-\x1f\x7f]/.test(text)) throw fault(text, 'net/url: invalid control character in URL');
  const [before, fragment] = cut(text, '#');
  const [, scheme = '', afterScheme = before] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(before) ?? [];
  if (before.startsWith(':')) throw fault(text, 'missing protocol scheme');
  const [rest, query] = cut(afterScheme, '?');
  const url: Url = {
    scheme: scheme.toLowerCase(),
    opaque: '',
    userinfo: '',
    host: '',
    path: '',
    query,
    fragment: decodePercent(fragment, text),
  };
  if (!rest.startsWith('/') && url.scheme !== '') return { ...url, opaque: rest };
  return { ...url, ...parseLocation(rest, url.scheme, text) };
}

/** Host and path: what stands between the scheme and the query. */
function parseLocation(rest: string, scheme: string, text: string): Partial<Url> {
  if (!rest.startsWith('/') && hasColonFirst(rest)) {
    throw fault(text, 'first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  if (!hasAuthority) return { path: decodePercent(rest, text) };
  const [authority] = cut(rest.slice(2), '/');
  return { ...parseAuthority(authority, text), path: decodePercent(rest.slice(2 + authority.length), text) };
}

function hasColonFirst(path: string): boolean {
  return cut(path, '/')[0].includes(':');
}

function parseAuthority(authority: string, text: string): { userinfo: string; host: string } {
  const at = authority.lastIndexOf('@');
  const host = decodePercent(authority.slice(at + 1), text);
  checkHost(authority.slice(at + 1), text);
  const [, port] = /^(?:\[.*\]|[^:]*(?::[^:]*)*?)(?::([^:\]]*))?$/s.exec(host) ?? [];
  if (port !== undefined && !/^\d*$/.test(port))
    throw fault(text, `invalid port ${JSON.stringify(`:${port}`)} after host`);
  const info = at < 0 ? '' : authority.slice(0, at);
  if (/[^A-Za-z0-9\-._:~!$&'()*+,;=%@]/.test(info)) throw fault(text, 'net/url: invalid userinfo');
  return { userinfo: normalizeUser(info, text), host };
}

function checkHost(host: string, text: string): void {
  for (const char of host) {
    if (char < '\x80' && char !== '%' && !hostSafe.test(char)) {
      throw fault(text, `invalid character ${JSON.stringify(char)} in host name`);
    }
  }
}

/** User and password, each escaped as Go prints it. */
function normalizeUser(info: string, text: string): string {
  const [user, password] = cut(info, ':');
  const shown = percentEncode(decodePercent(user, text), userSafe);
  return info.includes(':') ? `${shown}:${percentEncode(decodePercent(password, text), userSafe)}` : shown;
}

function hostname(host: string): string {
  return host.startsWith('[') ? cut(host.slice(1), ']')[0] : host.replace(/:\d*$/, '');
}

function toDict(url: Url): GoMap {
  return new GoMap(new Map(Object.entries({ ...url, hostname: hostname(url.host) })));
}

function fromDict(dict: GoMap): Url {
  const read = (key: keyof Url): string => {
    const value = dict.entries.get(key) ?? '';
    if (typeof value === 'string') return value;
    throw refuse(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`);
  };
  const userinfo = normalizeUser(read('userinfo'), read('userinfo'));
  return {
    scheme: read('scheme'),
    opaque: read('opaque'),
    userinfo,
    host: read('host'),
    path: read('path'),
    query: read('query'),
    fragment: read('fragment'),
  };
}

function formatUrl(url: Url): string {
  const end = (url.query === '' ? '' : `?${url.query}`) + formatFragment(url);
  const scheme = url.scheme === '' ? '' : `${url.scheme}:`;
  if (url.opaque !== '') return scheme + url.opaque + end;
  const start = scheme + formatAuthority(url);
  return start + formatPath(url, start === '') + end;
}

function formatPath(url: Url, isFirst: boolean): string {
  const path = url.path === '*' ? '*' : percentEncode(url.path, pathSafe);
  if (path !== '' && !path.startsWith('/') && url.host !== '') return `/${path}`;
  return isFirst && hasColonFirst(path) ? `./${path}` : path;
}

function formatFragment({ fragment }: Url): string {
  return fragment === '' ? '' : `#${percentEncode(fragment, fragmentSafe)}`;
}

function formatAuthority({ scheme, userinfo, host, path }: Url): string {
  const isNeeded = host !== '' || userinfo !== '' || (scheme !== '' && path !== '');
  if (!isNeeded) return '';
  return `//${userinfo === '' ? '' : `${userinfo}@`}${percentEncode(host, hostSafe)}`;
}

/** Sprig's functions on URLs. */
export const urlFunctions: FunctionTable = {
  urlParse: fn(['string'], ([text]) => toDict(parseUrl(text))),
  urlJoin: fn(['map'], ([dict]) => formatUrl(fromDict(dict))),
};
