import { maskedValue } from '../domain/run-request.ts';

/** Query parameters that carry a right, such as the signature of a signed download URL. */
const secretParameter = /([?&](?:[^=&#\s]*(?:sig|signature|token|secret|password|credential|key)[^=&#\s]*)=)[^&#\s]+/gi;
const userinfo = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#]*)@/gi;

/**
 * The text with every token, password and signature of the URLs in it replaced by asterisks. Works on any text, not
 * just on a valid source location; a text that comes back unchanged holds no secret that is known here.
 */
export function maskLocation(text: string): string {
  return text
    .replace(userinfo, (whole, scheme: string, login: string) => maskLogin(whole, scheme, login))
    .replace(secretParameter, `$1${maskedValue}`);
}

function maskLogin(whole: string, scheme: string, login: string): string {
  const colon = login.indexOf(':');
  if (colon >= 0) return `${scheme}${login.slice(0, colon)}:${maskedValue}@`;
  if (/^(?:https?|oci):/i.test(scheme) && login !== '') return `${scheme}${maskedValue}@`;
  return whole;
}

/**
 * Takes the token out of a location: `https://user:PAT@host/a.git` becomes `https://user:********@host/a.git` and the
 * token, decoded. The masked location parses again, without a token; a text without one comes back as it is.
 */
export function splitToken(text: string): { readonly location: string; readonly token?: string } {
  const match = /^((?:https?|oci):\/\/)([^\s/?#]*)@/i.exec(text);
  if (match === null || !URL.canParse(text)) return { location: text };
  const { token } = splitUserinfo(new URL(text));
  if (token === undefined) return { location: text };
  return { location: maskLogin(match[0], match[1] ?? '', match[2] ?? '') + text.slice(match[0].length), token };
}

/**
 * User and token of an http(s) or oci URL. A name alone is a token, as git hosts hand them out, except where Azure DevOps puts
 * the organisation's name there (`https://org@dev.azure.com/org/…`).
 */
export function splitUserinfo(url: URL): { user?: string; token?: string } {
  const name = decode(url.username);
  const password = decode(url.password);
  if (password === maskedValue) return { ...(name !== '' && { user: name }) };
  if (password !== '') return { ...(name !== '' && { user: name }), token: password };
  if (name === '' || name === maskedValue) return {};
  const isOrganisation = url.hostname === 'dev.azure.com' && url.pathname.split('/')[1] === url.username;
  return isOrganisation ? { user: name } : { token: name };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Takes whatever is secret out of a location: the token of a git URL, or the whole URL where a signature stands in its query. The
 * location that is left may be stored and shown; {@link joinSecret} is the inverse.
 */
export function splitSecret(text: string): { readonly location: string; readonly secret?: string } {
  const { location, token } = splitToken(text);
  if (token !== undefined) return { location, secret: token };
  const masked = maskLocation(text);
  return masked === text ? { location } : { location: masked, secret: text };
}

/** What {@link splitSecret} took apart, as `openContext` takes it. */
export function joinSecret(location: string, secret?: string): { readonly location: string; readonly token?: string } {
  if (secret === undefined) return { location };
  return /^https?:\/\//i.test(secret) ? { location: secret } : { location, token: secret };
}
