import { api } from '../../shared/http/api.ts';
import { referencesIn } from '../../shared/http/references.ts';
import { undoPlan } from '../../shared/imports/run-import.ts';
import { expectedPlan, importResponse, prefersAsync } from '../import-responses.ts';
import { request } from './contract.ts';

/** POST /customers/imports/{importId}/undo: undoes what an import has applied. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { importId } = event.pathParameters;
  const job = await undoPlan(merchantId, importId, {
    isExpected: expectedPlan(event),
    references: referencesIn(event),
    inBackground: prefersAsync(event),
  });
  return importResponse(job);
});
