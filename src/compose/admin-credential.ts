import type { Installation } from '../installation.ts';
import type { AdminCredentialDesk } from '../http/options.ts';
import { createAuditLog } from '../registry/access/audit.ts';
import type { AccountKeeper } from '../secret/account-keeper.ts';

/** Shows and renews the admin account's passwords; each renewal leaves a line of audit. */
export function createAdminCredentialDesk(
  { clock, logger }: Pick<Installation, 'clock' | 'logger'>,
  account: AccountKeeper,
): AdminCredentialDesk {
  const audit = createAuditLog(logger);
  return {
    current: () => account.current(),
    renew: async (which, who) => {
      const renewed = await account.renew(which);
      const time = new Date(clock.now()).toISOString();
      const name = which === 1 ? 'password' : 'password2';
      audit({ time, who, action: 'renew-admin-password', name, result: 'done' });
      return renewed;
    },
  };
}
