import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/harness/setup.ts',
    setupFiles: 'test/harness/cleanup.ts',
    // Each wait and each subject has a shorter deadline of its own, which says what was waited for. All are long enough
    // for a machine of two cores whose load is 30: a deadline ends what hangs, and judges nothing.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Subjects fork and load both cores; files side by side would only make each of them slower.
    fileParallelism: false,
  },
});
