import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { RegisteredCompany } from '../domain/company.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { companyKey, expiringIn, isExpired } from './table.ts';

/** A company as a public register described it. */
export interface RegisteredEntry {
  readonly company: RegisteredCompany;
  /** Name of the register. */
  readonly source: string;
  /** Time of the look-up; ISO 8601. */
  readonly retrieved: string;
}

/**
 * Returns the cached company. Each merchant has a cache of its own: what one merchant looks up must
 * not show in another's responses.
 *
 * @param number in canonical form.
 */
export async function getCachedCompany(
  merchantId: string,
  number: string,
): Promise<RegisteredEntry | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: companyKey(merchantId, number) }),
  );
  if (!Item || isExpired(Item)) return undefined;
  return { company: Item.company, source: Item.source, retrieved: Item.retrieved };
}

/** Caches a company for the merchant, for `lifetimeS` seconds. */
export async function cacheCompany(
  merchantId: string,
  number: string,
  { company, source, retrieved }: RegisteredEntry,
  lifetimeS: number,
): Promise<void> {
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: {
        ...companyKey(merchantId, number),
        company,
        source,
        retrieved,
        ...expiringIn(lifetimeS),
      },
    }),
  );
}
