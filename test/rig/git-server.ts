import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

/** Runs git as a developer would; gives its output without the line end. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const words = ['-c', 'init.defaultBranch=main', '-c', 'protocol.file.allow=always', ...args];
  const { stdout } = await promisify(execFile)('git', words, { cwd: directory, env: environment });
  return stdout.trim();
}

/** Makes a repository with one commit of these files; gives the commit. */
export async function createRepository(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(directory, { recursive: true });
  await git(directory, 'init', '--quiet');
  return await commitFiles(directory, files);
}

/** Commits these files on top; gives the commit. */
export async function commitFiles(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), content);
  }
  await git(directory, 'add', '--all');
  await git(directory, 'commit', '--quiet', '--message', 'test');
  return await git(directory, 'rev-parse', 'HEAD');
}

export interface GitServer {
  readonly port: number;
  /** What was asked for: method, URL and Authorization of each request. */
  readonly requests: { readonly url: string; readonly host: string; readonly authorization: string | undefined }[];
  close(): Promise<void>;
}

export interface GitServerOptions {
  /** Parent directory of the repositories: `/a.git` is `<root>/a/.git`. */
  readonly root: string;
  /** When set, every request needs it as the password of Basic authentication. */
  readonly token?: string;
  /** When set, requests are redirected here, their path behind it. */
  readonly redirectTo?: string;
  /** Key and certificate, PEM; without them it speaks http. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Never answers. */
  readonly isSilent?: boolean;
}

/** A git server on loopback: node:http in front of `git http-backend`. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const requests: GitServer['requests'] = [];
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization, host = '' } = request.headers;
    requests.push({ url: request.url ?? '', host, authorization });
    answer(request, response, options);
  };
  const server = options.tls === undefined ? http.createServer(listen) : https.createServer(options.tls, listen);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, requests, close };
}

function answer(request: IncomingMessage, response: ServerResponse, options: GitServerOptions): void {
  if (options.isSilent === true) return;
  if (options.redirectTo !== undefined) {
    response.writeHead(301, { location: options.redirectTo + (request.url ?? '') }).end();
  } else if (options.token !== undefined && passwordOf(request) !== options.token) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
  } else {
    runBackend(request, response, options.root);
  }
}

function passwordOf(request: IncomingMessage): string | undefined {
  const login = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
  return login.slice(login.indexOf(':') + 1);
}

/** Runs the CGI program of git, and turns its headers into ours. */
function runBackend(request: IncomingMessage, response: ServerResponse, root: string): void {
  const [pathname = '', query = ''] = (request.url ?? '').split('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname.replace(/\.git\//, '/.git/'),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head = Buffer.alloc(0);
  const readHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    child.stdout.off('data', readHead);
    writeHead(response, head.toString('latin1', 0, end));
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on('data', readHead);
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200;
  for (const line of text.split('\r\n')) {
    const [name = '', value = ''] = line.split(': ');
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

/** Makes a key and a certificate for `host` that signs itself; gives their text and the certificate's file. */
export async function createCertificate(
  directory: string,
  host: string,
): Promise<{ readonly key: string; readonly cert: string; readonly caFile: string }> {
  const keyFile = path.join(directory, 'tls.key');
  const caFile = path.join(directory, 'tls.crt');
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', keyFile, '-out', caFile];
  await promisify(execFile)('openssl', [...words, ...names]);
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(caFile, 'utf8'), caFile };
}

/** Removes a directory that git made. */
export async function removeTree(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
