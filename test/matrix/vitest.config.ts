// The whole tables of crashes and faults: minutes of killed processes, too long for `npm test`.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: ['../bundles.ts'],
    include: ['**/*.matrix.test.ts'],
    isolate: false,
    // Each table keeps the machine busy by itself, and asks whether runs end in time.
    maxWorkers: 1,
    testTimeout: 600_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 180_000,
  },
});
