import type { OutgoingHttpHeaders } from 'node:http';
import * as v from 'valibot';

/** A response that the gateway sends. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

const StructuredSchema = v.object({
  statusCode: v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599)),
  headers: v.nullish(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  cookies: v.nullish(v.array(v.string()), []),
  body: v.nullish(v.string(), ''),
  isBase64Encoded: v.nullish(v.boolean(), false),
});

/**
 * Converts the result of a function in payload format 2.0: a response or, if it has no status code,
 * the body of one.
 *
 * @throws if the result is neither.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toHttpResponse(result: unknown): HttpResponse {
  if (!isStructured(result)) {
    const text = typeof result === 'string' ? result : JSON.stringify(result);
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(text),
    };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = v.parse(StructuredSchema, result);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), `${value}`]);
  return {
    status: statusCode,
    headers: {
      ...(body !== '' && { 'content-type': 'text/plain; charset=utf-8' }),
      ...Object.fromEntries(named),
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  };
}

function isStructured(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'statusCode' in result;
}
