import * as v from 'valibot';
import type { Request } from './endpoint.ts';
import { IdSchema } from './id-schemas.ts';
import { badParameter } from './problem-details.ts';

/**
 * The customer's id in the path.
 *
 * @throws Problem 400 where it is none.
 */
export function idInPath({ path }: Request): number {
  const id = v.safeParse(IdSchema, path.mexcParamvaluesetsid);
  if (!id.success) {
    throw badParameter(
      'mexcParamvaluesetsid',
      `must be a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
    );
  }
  return id.output;
}

/** Ids of exports, as `randomUUID` writes them. */
export const EXPORT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The export's id in the path.
 *
 * @throws Problem 400 where it is none.
 */
export function exportIdInPath({ path }: Request): string {
  const id = path.exportId ?? '';
  if (!EXPORT_ID.test(id)) throw badParameter('exportId', 'must be the id of an export, a UUID');
  return id;
}
