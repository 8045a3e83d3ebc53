import type { Reporter, TestModule } from 'vitest/node';

/** Prints each skipped test at the end of a run, with the reason if the test gave one. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const result = test.result();
        const note = result.state === 'skipped' ? result.note : undefined;
        return `- ${module.relativeModuleId}: ${test.fullName}${note ? `: ${note}` : ''}`;
      }),
    );
    if (lines.length > 0) console.log(['Skipped tests:', ...lines, ''].join('\n'));
  }
}
