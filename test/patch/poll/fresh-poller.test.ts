import { expect, it } from 'vitest';
import { createFreshPoller } from '../../../src/patch/poll/fresh-poller.ts';

it('a poller begins anew when what it depends on has changed, and only then', async () => {
  const done: string[] = [];
  let version = 'one';
  let opened = 0;
  const poller = createFreshPoller({
    readVersion: async () => version,
    open: () => {
      const name = String((opened += 1));
      return { poll: async () => void done.push(`${name} polls`), close: async () => void done.push(`${name} closes`) };
    },
  });
  await poller.poll();
  await poller.poll();
  version = 'two';
  await poller.poll();
  await poller.poll();
  await poller.close();
  expect(done).toEqual(['1 polls', '1 polls', '2 polls', '2 polls', '2 closes']);
});
