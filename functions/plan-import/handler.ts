import { api } from '../../shared/http/api.ts';
import { planFileOf } from '../../shared/imports/create-import.ts';
import { importResponse, prefersAsync } from '../import-responses.ts';
import { request } from './contract.ts';

/** POST /customers/imports/{importId}/plan: plans what becomes of each row of a file. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { importId } = event.pathParameters;
  const inBackground = prefersAsync(event);
  return importResponse(await planFileOf(merchantId, importId, { inBackground }));
});
