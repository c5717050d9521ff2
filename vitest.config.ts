import { defineConfig } from 'vitest/config';

const deep = process.env['LOOM_DEEP'] === '1';
const shared = { pool: 'forks' as const, env: { NODE_ENV: 'production' } };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'structure', include: ['test/structure/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/{machines,actors,tools,store,processes,visualizations,cli}/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        // Pure: needs no build.
        test: { ...shared, name: 'model', include: ['test/model/**/*.test.ts'], testTimeout: 120_000 },
      },
      {
        test: {
          ...shared,
          name: 'whole',
          include: ['test/{whole,crash}/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: deep ? 1_800_000 : 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
