import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { RegisteredCompany } from '../company-registers/company-register.ts';
import { companyKey } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, isExpired } from './expiry.ts';

/** A company as a public register told of it. */
export interface FoundCompany {
  readonly company: RegisteredCompany;
  /** Id of the register. */
  readonly source: string;
  /** When it was asked; ISO 8601. */
  readonly retrieved: string;
}

/**
 * What a merchant was told of a company before. Each merchant has its own: what one looks up is
 * not to show in another's answers.
 *
 * @param number in its canonical form.
 */
export async function getFoundCompany(
  merchant: string,
  number: string,
): Promise<FoundCompany | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: companyKey(merchant, number) }),
  );
  if (!Item || isExpired(Item)) return undefined;
  return { company: Item.company, source: Item.source, retrieved: Item.retrieved };
}

/**
 * Remembers what a merchant was told of a company.
 *
 * @param lifetimeS how long, in seconds.
 */
export async function rememberCompany(
  merchant: string,
  number: string,
  { company, source, retrieved }: FoundCompany,
  lifetimeS: number,
): Promise<void> {
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: {
        ...companyKey(merchant, number),
        company,
        source,
        retrieved,
        ...expiringIn(lifetimeS),
      },
    }),
  );
}
