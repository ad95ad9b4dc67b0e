import { describe, expect, it } from 'vitest';
import { checkLocation } from '../../src/source/check-location.ts';
import { joinSecret, maskLocation } from '../../src/source/location-secret.ts';
import { parseSourceLocation } from '../../src/source/location.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('a location in a registry', () => {
  it.each([
    ['oci://h.test/app', { registry: 'h.test', repository: 'app', reference: 'latest' }],
    ['OCI://H.test:5000/team/app:v1', { registry: 'h.test:5000', repository: 'team/app', reference: 'v1' }],
    [`oci://registry/a.b/app@${digest}`, { registry: 'registry', repository: 'a.b/app', reference: digest }],
    [`oci://[::1]:5000/app:v1@${digest}`, { registry: '[::1]:5000', reference: digest }],
    ['oci://h.test/app:v1#:src/app/', { reference: 'v1', folder: 'src/app' }],
    ['oci://me:t%40ken@h.test/app', { registry: 'h.test', user: 'me', token: 't@ken' }],
  ])('%s is understood', (text, expected) => {
    expect(parseSourceLocation(text)).toMatchObject({ kind: 'oci', ...expected });
  });

  it.each([
    ['oci://h.test', 'names no repository'],
    ['oci:///app', 'names no registry'],
    ['oci://h.test/App', 'lower case'],
    ['oci://h.test/app:v1#main', 'behind "#:"'],
    ['oci://h.test/app#:../x', 'leaves'],
    ['oci://h.test/app?x=1', 'query'],
    ['oci://h.test/../x', 'repository'],
    ['oci://h.test/app@sha256:12', 'digest'],
  ])('%s is refused', (text, why) => {
    expect(() => parseSourceLocation(text)).toThrow(why);
  });

  it('never keeps its token with it', () => {
    const { location, secret } = checkLocation('oci://me:s3cr3t@h.test/app:v1#:src');
    expect([location, secret]).toEqual(['oci://me:********@h.test/app:v1#:src', 's3cr3t']);
    expect(parseSourceLocation(location)).not.toHaveProperty('token');
    expect(joinSecret(location, secret)).toEqual({ location, token: 's3cr3t' });
    expect(checkLocation('oci://s3cr3t@h.test/app').location).toBe('oci://********@h.test/app');
    expect(maskLocation('see oci://s3cr3t@h.test/app')).not.toContain('s3cr3t');
  });
});
