import { DIGEST_PARTS, MAX_DIGEST_PART } from '../../shared/domain/limits.ts';
import { withExportLease } from '../../shared/exports/export-lease.ts';
import { api, json } from '../../shared/http/api.ts';
import { createChangesToken } from '../../shared/http/changes-token.ts';
import { badRequest } from '../../shared/http/problem-details.ts';
import { positionBeforeLoad } from '../../shared/storage/change-log.ts';
import { digestCustomers } from '../../shared/storage/digest-customers.ts';
import { newestId } from '../../shared/storage/newest-id.ts';
import { rangeFaults, request } from './contract.ts';

/**
 * GET /customers/digest: returns the number and a hash of the customers of each part of a range of ids.
 * A slow one takes one of the leases of the merchant's exports, as it reads as much.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { from = 1, to: requestedTo, parts } = event.queryStringParameters;
  const [newest, changesFrom] = await Promise.all([
    requestedTo === undefined ? newestId(merchantId) : undefined,
    positionBeforeLoad(merchantId),
  ]);
  const to = requestedTo ?? newest ?? 0;
  const faults = newest !== undefined && to >= from ? rangeFaults({ from, to }, parts) : [];
  if (faults.length > 0) throw badRequest(faults);
  const { next, ...digest } = await withExportLease(merchantId, (deadline) =>
    digestCustomers(merchantId, {
      range: { from, to },
      partLength: Math.ceil((to - from + 1) / (parts ?? defaultParts(to - from + 1))),
      newestId: async () => newest ?? newestId(merchantId),
      deadline,
    }),
  );
  return json({
    from,
    to,
    ...digest,
    next: next ?? null,
    changesFrom: createChangesToken(merchantId, changesFrom),
  });
});

function defaultParts(ids: number): number {
  return Math.max(DIGEST_PARTS, Math.ceil(ids / MAX_DIGEST_PART));
}
