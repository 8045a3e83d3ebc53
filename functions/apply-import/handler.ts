import { api } from '../../shared/http/api.ts';
import { referencesIn } from '../../shared/http/references.ts';
import { applyPlan } from '../../shared/imports/run-import.ts';
import { expectedPlan, importResponse, prefersAsync } from '../import-responses.ts';
import { request } from './contract.ts';

/** POST /customers/imports/{importId}/apply: applies the plan of an import. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { importId } = event.pathParameters;
  const job = await applyPlan(merchantId, importId, {
    isExpected: expectedPlan(event),
    leaveOut: event.body?.leaveOut ?? [],
    references: referencesIn(event),
    inBackground: prefersAsync(event),
  });
  return importResponse(job);
});
