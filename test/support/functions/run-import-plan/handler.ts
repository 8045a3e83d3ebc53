import { IMPORT_PLANNER } from '../../../../infra/endpoints.ts';

// In its own thread, as every run is, it calls itself by its name in all that it sends.
process.env.AWS_EXECUTION_ENV = IMPORT_PLANNER;
// Failures that a test makes are no news.
for (const level of ['warn', 'error'] as const) console[level] = () => {};

export { handler } from '../../../../functions/run-import-plan/handler.ts';
