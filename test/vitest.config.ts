import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/logs.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A deployed API is tested with the merchants given for it, which files would fight over.
    fileParallelism: !process.env.API_URL,
  },
});
