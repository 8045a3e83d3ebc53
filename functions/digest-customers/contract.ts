import {
  CONCURRENT_EXPORTS,
  DIGEST_PARTS,
  MAX_DIGEST_PART,
  MAX_DIGEST_PARTS,
} from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { count, customerId, object, ref, text } from '../../shared/http/json-schema.ts';
import type { Fault } from '../../shared/http/problem-details.ts';
import { integer, type RequestSchemas, single } from '../../shared/http/validation.ts';

const id = () => single(() => integer(1, Number.MAX_SAFE_INTEGER));

export const request = {
  query: { from: id(), to: id(), parts: single(() => integer(1, MAX_DIGEST_PARTS)) },
  rules: [
    ({ queryStringParameters: { from = 1, to, parts } }) =>
      to === undefined ? [] : rangeFaults({ from, to }, parts),
  ],
} satisfies RequestSchemas;

/** Returns what is wrong with a range of ids and its number of parts, if it is given. */
export function rangeFaults(
  { from, to }: { readonly from: number; readonly to: number },
  parts: number | undefined,
): Fault[] {
  if (from > to) return [{ parameter: 'from', detail: `must not be above to, which is ${to}` }];
  const needed = Math.ceil((to - from + 1) / MAX_DIGEST_PART);
  if (needed > MAX_DIGEST_PARTS) {
    const max = MAX_DIGEST_PARTS * MAX_DIGEST_PART;
    const detail = `must be within ${max} ids of from, which is ${from}; got \`${to}\``;
    return [{ parameter: 'to', detail }];
  }
  if (parts === undefined || parts >= needed) return [];
  return [
    {
      parameter: 'parts',
      detail: `must be at least ${needed}, as a part has at most ${MAX_DIGEST_PART} ids`,
    },
  ];
}

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/digest',
    scope: 'customers:read',
    table: { actions: ['Query', 'GetItem'], exportJobs: ['UpdateItem'] },
    readsAll: true,
    environment: ['cursorSecret', 'changesEpoch'],
    summary: 'Hash customers, to prove that a copy is right',
    request,
    parameters: {
      from: ['First id of the range. Default: 1.', 1],
      to: ['Last id of the range. Default: the newest id.', 1_250],
      parts: [
        'Into how many equal ranges the range is divided; the last can be shorter, and there are fewer ' +
          `if there are fewer ids. A part has at most ${MAX_DIGEST_PART} ids. Default: ${DIGEST_PARTS}, ` +
          'or as many as needed.',
        1,
      ],
    },
    responses: {
      200: { description: 'Number and hash of the customers of each part.', schema: ref('Digest') },
    },
    errors: {
      429: `Too many requests, or the merchant has ${CONCURRENT_EXPORTS} slow exports and digests running.`,
    },
    schemas: {
      Digest: object({
        from: customerId({ description: 'First id of the range.' }),
        to: {
          type: 'integer',
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Last id of the range; 0 if there are no customers.',
        },
        count: count({ description: 'Customers of the parts together.' }),
        parts: {
          type: 'array',
          items: ref('DigestPart'),
          description: 'The parts, by ascending id.',
        },
        next: customerId({
          type: ['integer', 'null'],
          format: 'int64',
          examples: [200_001],
          description:
            'The from of the next call if this one has ended before the end of the range: with the ' +
            `part that reached ${MAX_DIGEST_PART} customers, or after 15 seconds. Otherwise null.`,
        }),
        changesFrom: text({
          description: 'Token from which to follow the changes since the customers were read.',
        }),
      }),
      DigestPart: object({
        from: customerId({ description: 'First id of the part.' }),
        to: customerId({ description: 'Last id of the part.' }),
        count: count({ description: 'Customers of the part.' }),
        hash: text({
          pattern: '^[0-9a-f]{64}$',
          description:
            'SHA-256 of the canonical forms of its customers by ascending id, in hexadecimal.',
        }),
      }),
    },
  });
