import { once } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { request } from './http.ts';

/** An error of a DynamoDB server. */
class DynamoDbError extends Error {}

/**
 * Sends a request to a DynamoDB server on this machine, which does not verify signatures, and returns the
 * output. It is for the few requests of a start, which the SDK's client would lengthen by 100 ms of CPU time,
 * and does not retry.
 *
 * @param operation with the version of its API, such as `DynamoDB_20120810.CreateTable`.
 * @throws DynamoDbError with the name of the error that the server returns.
 */
export async function requestDynamoDb(
  endpoint: string,
  operation: string,
  input: object,
  { signal, headers }: Pick<RequestOptions, 'signal' | 'headers'> = {},
  // biome-ignore lint/suspicious/noExplicitAny: the operations have outputs of their own
): Promise<any> {
  const { AWS_ACCESS_KEY_ID: key, AWS_REGION: region } = process.env;
  const sent = request(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': operation,
      // DynamoDB Local finds the tables by the key and the region in here; some servers ask for a date.
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=unchecked`,
      'x-amz-date': '20260101T000000Z',
      ...headers,
    },
    ...(signal && { signal }),
  });
  // One that comes during the response makes reading it fail.
  sent.on('error', () => {}).end(JSON.stringify(input));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode === 200) return JSON.parse(body);
  const error = new DynamoDbError(`${operation} responded ${response.statusCode}: ${body}`);
  error.name = /"__type":"(?:[^"]*#)?(\w+)"/.exec(body)?.[1] ?? error.name;
  throw error;
}
