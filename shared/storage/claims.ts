import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { isTransient } from '../aws-errors.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { CLAIM_OWNER, claimKey } from './table.ts';

/*
 * A claim says which customer a `PUT` by customerid writes. It is written in one transaction with the
 * customer, so that two requests at a time make one customer. A claim is stale if its owner is deleted
 * or has another customerid by now; the next `PUT` takes it over.
 */

/** Returns the id of the customer that owns a customerid, which is in its form. */
export async function claimOwner(
  merchantId: string,
  customerid: string,
): Promise<number | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: claimKey(merchantId, customerid),
      ConsistentRead: true,
    }),
  );
  return Item?.[CLAIM_OWNER];
}

/**
 * Returns the write by which a customer owns a customerid. Its condition fails if another customer
 * owns it.
 *
 * @param staleOwner id of the owner that has the customerid no longer, if there is a claim.
 */
export function claimPut(
  merchantId: string,
  customerid: string,
  owner: number,
  staleOwner: number | undefined,
) {
  const isFree = 'attribute_not_exists(pk)';
  return {
    TableName: TABLE_NAME,
    Item: { ...claimKey(merchantId, customerid), [CLAIM_OWNER]: owner },
    ConditionExpression: isFree,
    ...(staleOwner !== undefined && {
      ConditionExpression: `${isFree} OR #owner = :owner`,
      ExpressionAttributeNames: { '#owner': CLAIM_OWNER },
      ExpressionAttributeValues: { ':owner': staleOwner },
    }),
  };
}

/**
 * Deletes the claim of a deleted customer, unless another customer has taken it over. If the table
 * cannot be reached it stays: the customer is deleted all the same, and a stale claim does no harm.
 */
export async function releaseClaim(
  merchantId: string,
  customerid: string,
  owner: number,
): Promise<void> {
  const deletion = new DeleteCommand({
    TableName: TABLE_NAME,
    Key: claimKey(merchantId, customerid),
    ConditionExpression: '#owner = :owner',
    ExpressionAttributeNames: { '#owner': CLAIM_OWNER },
    ExpressionAttributeValues: { ':owner': owner },
  });
  try {
    await conditionHolds(documents.send(deletion));
  } catch (error) {
    if (!isTransient(error)) throw error;
  }
}
