import { defineConfig } from 'vitest/config';

/** Property tests draw the same cases each time. */
const setupFiles = ['test/config/properties.ts'];
const slow = ['test/integration/**', 'test/docker/**', 'test/conformance/**'];

/** Projects by what they need: nothing, Redis, a container engine, a whole running Slipway; one order for those with as many workers. */
export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: slow,
          setupFiles,
          testTimeout: 10_000,
          // Modules hold no state, so files may share them: half of the time went into loading them again.
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // They wait for processes, disks and pauses more than they compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'docker',
          globalSetup: 'test/config/docker-setup.ts',
          include: ['test/docker/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // They wait for the engine more than they compute; more than two at a time would share two processors.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
