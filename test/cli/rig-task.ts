import { password, startRig } from '../http/rig.ts';
import { call } from './rig-api.ts';

export const repository = 'https://git.example.com/team/app.git';

/** The real API with a memory store, and the CLI as its admin calls it. */
export async function setUpTasks(options: Parameters<typeof startRig>[0] = {}) {
  const { url, store } = await startRig(options);
  const env = { SLIPWAY_SERVER: url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: password };
  const slipway = (words: readonly string[], more: Parameters<typeof call>[1] = {}) =>
    call(words, { ...more, env: { ...env, ...more.env } });
  /** The document with its secrets. */
  const details = async (name: string) =>
    JSON.parse((await slipway(['task', 'show', name, '--with-secure-properties', '--json'])).stdout) as {
      properties: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
      identity?: object;
    };
  return { url, store, slipway, details };
}

/** The words that make the task of most tests. */
export function create(...words: readonly string[]): readonly string[] {
  return ['task', 'create', 'web-app', ...words];
}
