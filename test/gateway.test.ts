import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent, Context } from 'aws-lambda';
import { base64url, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAuthorizer } from '../infra/local/authorizer.ts';
import { createGateway } from '../infra/local/gateway.ts';
import {
  AUDIENCE,
  makeKey,
  signToken,
  startIssuer,
  type TokenOptions,
} from '../infra/local/issuer.ts';
import { createLambda, type Handler } from '../infra/local/lambda.ts';
import { S3_CREDENTIALS, startS3 } from '../infra/local/s3.ts';
import { type LocalServer, start } from '../infra/local/server.ts';
import { startLocalStack } from '../infra/local/stack.ts';

/** The rules of API Gateway and S3 that the local stack keeps, on functions made for the test. */

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const READ = 'things:read';
const ROUTES = [
  { method: 'GET', path: '/things/{id}', function: 'echo', scope: READ },
  { method: 'GET', path: '/things/special', function: 'echo', scope: READ },
  { method: 'GET', path: '/things/{id}/parts/{part}', function: 'echo', scope: READ },
  { method: 'POST', path: '/things', function: 'echo', scope: 'things:write' },
  { method: 'GET', path: '/answer', function: 'answer', scope: READ },
];

/** What the function `answer` does next. */
let answer: (context: Context) => unknown;
const functions: Record<string, Handler> = {
  echo: async (event) => ({ statusCode: 200, body: JSON.stringify(event) }),
  answer: async (_event, context) => answer(context),
};

let key: JWK;
let issuer: LocalServer;
let gateway: LocalServer;

beforeAll(async () => {
  key = await makeKey();
  issuer = await startIssuer(0, key);
  gateway = await start(
    createGateway({
      routes: ROUTES,
      defaultFunction: 'echo',
      authorize: createAuthorizer(issuer.endpoint, AUDIENCE),
      invoke: createLambda(async (name) => functions[name] as Handler, { timeoutMs: 300 }),
      limits: { integrationMs: 500 },
    }),
    0,
  );
});

afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

function sign(options: Partial<TokenOptions> = {}): Promise<string> {
  const scopes = [READ, 'things:write'];
  return signToken(key, issuer.endpoint, { merchant: '1001', scopes, ...options });
}

/** A request whose headers are sent as they stand; with a good token unless it brings its own. */
async function call(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Answer> {
  const authorization = `Bearer ${await sign()}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest(gateway.endpoint + path, {
      method,
      headers: { authorization, ...headers },
    });
    request.on('error', reject).on('response', async (response) => {
      const { statusCode = 0 } = response;
      resolve({ status: statusCode, headers: response.headers, body: await text(response) });
    });
    request.end(body);
  });
}

async function eventOf(...parameters: Parameters<typeof call>): Promise<ApiEvent> {
  return JSON.parse((await call(...parameters)).body);
}
