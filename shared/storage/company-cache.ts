import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { NoCompany, RegisteredCompany } from '../domain/company.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { companyKey, expiringIn, isExpired } from './table.ts';

/** A company as a public register described it. */
interface RegisteredEntry {
  readonly company: RegisteredCompany;
  /** Name of the register. */
  readonly source: string;
  /** Time of the look-up; ISO 8601. */
  readonly retrieved: string;
}

/** What a register said: a company, or why there is none. */
export type LookUpResult = RegisteredEntry | NoCompany;

/** Outcome of a look-up that found a company; the others are those of {@link NoCompany}. */
const FOUND = 'found';

/**
 * Returns the cached result of a look-up; undefined if there is none. Each merchant has a cache of
 * its own: what one merchant looks up must not show in another's responses.
 *
 * @param number in canonical form.
 */
export async function getCachedResult(
  merchantId: string,
  number: string,
): Promise<LookUpResult | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: companyKey(merchantId, number) }),
  );
  // Items of earlier versions have no outcome, and can describe a sole trader.
  if (!Item?.outcome || isExpired(Item)) return undefined;
  if (Item.outcome !== FOUND) return Item.outcome;
  return { company: Item.company, source: Item.source, retrieved: Item.retrieved };
}

/** Caches the result of a look-up for the merchant, for `lifetimeS` seconds. */
export async function cacheResult(
  merchantId: string,
  number: string,
  result: LookUpResult,
  lifetimeS: number,
): Promise<void> {
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: {
        ...companyKey(merchantId, number),
        ...(typeof result === 'string' ? { outcome: result } : { outcome: FOUND, ...result }),
        ...expiringIn(lifetimeS),
      },
    }),
  );
}
