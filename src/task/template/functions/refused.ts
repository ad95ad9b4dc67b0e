import { refuse } from '../faults.ts';
import { variadic, type FunctionTable, type TemplateFunction } from './define.ts';

const host = 'Hand the value in with --set, or as a secret.';
const keys = 'Make keys and certificates outside, and hand them in as secrets.';

const refused = (reason: string, hint: string): TemplateFunction =>
  variadic([], 'any', () => {
    throw refuse(reason, hint);
  });

const environment = refused('templates cannot read the environment of the host', host);
const cryptography = refused('templates cannot make keys, certificates or password hashes', keys);

/** Functions of Sprig that we refuse: they read the host, reach the network, or make keys that would end up in a plan. */
export const refusedFunctions: FunctionTable = {
  env: environment,
  expandenv: environment,
  getHostByName: refused('templates cannot look names up on the network', host),
  ...Object.fromEntries(
    [
      'bcrypt',
      'buildCustomCert',
      'decryptAES',
      'derivePassword',
      'encryptAES',
      'genCA',
      'genCAWithKey',
      'genPrivateKey',
      'genSelfSignedCert',
      'genSelfSignedCertWithKey',
      'genSignedCert',
      'genSignedCertWithKey',
      'htpasswd',
      'randBytes',
    ].map((name) => [name, cryptography]),
  ),
  fail: variadic(['string'], 'any', ([message]) => {
    throw refuse(message);
  }),
};
