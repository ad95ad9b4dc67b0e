import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { chown, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts a new file in the place of the one that is there, whole and safe on disk; owner and mode (0600) stay. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const { uid, gid } = statSync(file);
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (process.getuid?.() === 0) await chown(draft, uid, gid);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  const directory = await open(dirname(file), 'r');
  await directory.sync().finally(() => directory.close());
}
