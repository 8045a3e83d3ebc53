import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A project of the files in a folder. */
function project(name: string, options: { setupFiles?: string[] } = {}) {
  return {
    extends: true as const,
    test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
  };
}

/** Tests with servers look for personal data in every log line. */
const withServers = { setupFiles: ['test/support/logs.ts'] };

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    // Generous: with a file on each core a test takes several times as long as alone.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // A deployed API is tested with the merchants given for it, which files would fight over.
    fileParallelism: !process.env.API_URL,
    maxWorkers: availableParallelism(),
    projects: [
      project('unit'),
      project('contract', withServers),
      project('faults', withServers),
      project('infra', withServers),
    ],
  },
});
