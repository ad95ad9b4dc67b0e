import type { OutputImage } from '../../domain/run.ts';
import type { RunSetup } from '../../engine/ports.ts';
import { encodeHeader } from './auth-header.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { objectField, textField } from './json-lines.ts';
import type { EngineCalls } from './request.ts';
import { findCredential } from './session-services.ts';

async function findId(engine: EngineCalls, name: string): Promise<string | undefined> {
  try {
    return textField(await engine.json({ method: 'GET', path: `/images/${name}/json` }), 'Id');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** True when each name (without any: the id) still stands for the image with this id. Rejects with `engine-unavailable`. */
export async function hasBuilt(
  engine: EngineCalls,
  { names, imageId }: { readonly names: readonly string[]; readonly imageId: string },
): Promise<boolean> {
  const found = await Promise.all((names.length > 0 ? names : [imageId]).map((name) => findId(engine, name)));
  return found.every((id) => id === imageId);
}

/** True when an image's registry still has its digest; false when it has not, or does not tell. Rejects with `engine-unavailable`. */
export async function hasPushed(
  engine: EngineCalls,
  { registry, repository, digest }: OutputImage,
  credentials: RunSetup['registryCredentials'],
): Promise<boolean> {
  const known = findCredential(credentials, registry);
  const auth = known ? { username: known.userName, password: known.password, serveraddress: registry } : {};
  try {
    const answer = await engine.json({
      method: 'GET',
      path: `/distribution/${registry}/${repository}@${digest}/json`,
      headers: { 'X-Registry-Auth': encodeHeader(auth) },
      deadlineMs: 10_000,
    });
    return textField(objectField(answer, 'Descriptor'), 'digest') === digest;
  } catch (error) {
    if (error instanceof EngineRefusal) return false;
    throw error;
  }
}
