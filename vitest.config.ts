import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/harness/setup.ts',
    setupFiles: 'test/harness/cleanup.ts',
    // Each subject has a deadline of its own; this one is for a test that forgot.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Subjects fork and load both cores; files side by side would only make deadlines shorter.
    fileParallelism: false,
    // A shared machine may hold up any test once, past its deadline: in CI such a test has a second try, and is listed at
    // the end. At a developer's desk it fails, and is looked into.
    retry: process.env.CI ? 1 : 0,
    reporters: ['default', './test/harness/second-tries.ts'],
  },
});
