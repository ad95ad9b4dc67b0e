import type { Response, Router } from 'express';
import { fail } from '../../domain/failure.ts';
import { callerOf } from '../middleware/authenticate.ts';
import { readJson } from '../middleware/json-body.ts';
import { addRoute } from '../middleware/methods.ts';
import type { AdminCredential, AppConfig, AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

/** The names of the two passwords, as Azure has them. */
const passwordNames = ['password', 'password2'] as const;

function send(response: Response, { username, passwords }: AdminCredential): void {
  const shown = passwordNames.map((name, at) => ({ name, value: passwords[at] }));
  response.set('cache-control', 'no-store').json({ username, passwords: shown });
}

function refuseDisabled({ registryAdmin }: Pick<AppConfig, 'registryAdmin'>): void {
  if (registryAdmin !== false) return;
  throw fail('conflict', 'the admin account is not enabled at the registry', { hint: 'SLIPWAY_REGISTRY_ADMIN=true' });
}

/** `POST …/listCredentials` and `POST …/regenerateCredential`: the admin account at the registry. */
export function addAdminCredentialRoutes(router: Router, { adminCredential: desk, config }: AppOptions): void {
  if (!desk) return;
  const check = createBodyCheck('api/regenerate-credential');
  addRoute(router, '/listCredentials', {
    post: (_request, response) => {
      refuseDisabled(config);
      send(response, desk.current());
    },
  });
  addRoute(router, '/regenerateCredential', {
    post: [
      ...readJson,
      async (request, response) => {
        const { name } = check(request.body ?? {}) as { readonly name: (typeof passwordNames)[number] };
        send(response, await desk.renew(name === 'password' ? 1 : 2, callerOf(response).name));
      },
    ],
  });
}
