// Tests that need nothing but npm; those against real servers have a configuration of their own in test/real.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/bundles.ts'],
    include: ['test/**/*.test.ts'],
    // Files share a process: starting one for each costs more than most of them take.
    isolate: false,
    exclude: ['test/real/**', 'node_modules/**', 'dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
