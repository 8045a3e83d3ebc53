import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The projects, in the order in which they start: those of which each file has a process go first, and
 * then those whose files share one.
 */
const PROJECTS = [
  'faults',
  'infra',
  'settings',
  'faults-vite',
  'stack',
  'contract',
  'unit',
  'browser',
] as const;
type ProjectName = (typeof PROJECTS)[number];

/** Returns a project's test files; in the long form, those with more random input. */
function filesOf(name: ProjectName, isLong: boolean): string[] {
  const folder = name.replace('-vite', '');
  if (!isLong && folder !== 'faults') return [`test/${folder}/*.test.ts`];
  // The test of the recipes copies one project alone.
  if (!existsSync(join(import.meta.dirname, folder))) return [];
  const replacesModules = (text: string) => /\bvi\.(?:mock|resetModules)\(/.test(text);
  return readdirSync(join(import.meta.dirname, folder))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => {
      const text = readFileSync(join(import.meta.dirname, folder, file), 'utf8');
      if (folder === 'faults' && replacesModules(text) !== (name === 'faults-vite')) return false;
      return !isLong || text.includes('support/iterations.ts');
    })
    .map((file) => `test/${folder}/${file}`);
}

/**
 * Runs the projects in order of {@link PROJECTS}, and each project's longest files first. Those of `faults`
 * wait for time-outs, and so alternate with others, which give the cores work meanwhile.
 */
class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = (file: TestSpecification) => PROJECTS.indexOf(file.project.name as ProjectName);
    const sorted = (await super.sort(files)).toSorted((a, b) => order(a) - order(b));
    const waiting = sorted.filter((file) => file.project.name === 'faults');
    const others = sorted.filter((file) => file.project.name !== 'faults');
    return others
      .flatMap((file, index) => {
        const next = waiting[index];
        return next ? [next, file] : [file];
      })
      .concat(waiting.slice(others.length));
  }
}

export default defineConfig(({ mode }) => {
  const isLong = mode === 'long';

  /** A project of the files in a folder. */
  function project(name: ProjectName, options: { isolate?: boolean; setupFiles?: string } = {}) {
    const include = filesOf(name, isLong);
    // Node loads the modules, as it does for `npm start`, but where tests replace or reload some: code
    // that Vite transforms takes 14 % more CPU time.
    const experimental = { viteModuleRunner: name === 'faults-vite', nodeLoader: false };
    return { extends: true as const, test: { name, include, experimental, ...options } };
  }
  /** Tests with servers look for personal data in every log line. */
  const withServers = { setupFiles: 'test/support/check-logs.ts' };

  return {
    test: {
      root: `${import.meta.dirname}/..`,
      globalSetup: 'test/support/run-environment.ts',
      env: { TEST_LENGTH: isLong ? 'long' : 'short' },
      // Generous: with a file on each core a test takes several times as long as alone.
      testTimeout: isLong ? 1_200_000 : 180_000,
      hookTimeout: isLong ? 1_200_000 : 120_000,
      // A deployed API is tested with the merchants given for it, which files would fight over.
      fileParallelism: !process.env.API_URL,
      // Two more than cores, since some files wait most of their time.
      maxWorkers: availableParallelism() + 2,
      sequence: { sequencer: Sequencer },
      // A larger young generation, and one thread of V8 beside each worker. Four of each would share the
      // cores, and collecting garbage together takes more CPU time: 14 % more of all.
      execArgv: ['--min-semi-space-size=64', '--max-semi-space-size=64', '--v8-pool-size=1'],
      projects: [
        project('unit', { isolate: false }),
        // The files share a process on each core, and with it the local stack.
        project('contract', { ...withServers, isolate: false }),
        // The files share what loading the CDK costs.
        project('stack', { isolate: false }),
        // These change the environment of the process, so each file has a process of its own.
        project('settings', withServers),
        project('faults', withServers),
        project('faults-vite', withServers),
        project('infra', withServers),
        // Its packages are installed by `npm run test:browser`, which names this mode.
        ...(mode === 'browser' ? [project('browser', withServers)] : []),
      ].filter(({ test }) => test.include.length > 0),
    },
  };
});
