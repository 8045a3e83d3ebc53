import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { createServer } from './http.ts';
import { FINNISH, NORWEGIAN, SWEDISH, unknownSwedish } from './sample-companies.ts';
import { type LocalServer, start } from './server.ts';

// One server for the public company registers, each under its own path and in its documented
// format, with a few invented companies; and for Secrets Manager's GetSecretValue.

const PATHS = {
  tokens: '/bolagsverket/oauth2/token',
  bolagsverket: '/bolagsverket/vardefulla-datamangder/v1',
  brreg: '/brreg/enhetsregisteret/api',
  prh: '/prh/opendata-ytj-api/v3',
};
/** Credentials of the local stack's client of Bolagsverket. */
const CLIENT = { clientId: 'local', clientSecret: 'of the local stack only' };
const TOKEN_LIFETIME_S = 3_600;

/** Returns the URLs of the registers for the functions' environment. */
export function registerUrls(endpoint: string) {
  return {
    bolagsverket: endpoint + PATHS.bolagsverket,
    bolagsverketTokens: endpoint + PATHS.tokens,
    brreg: endpoint + PATHS.brreg,
    prh: endpoint + PATHS.prh,
  };
}

interface RegisterResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Starts the server of the registers. */
export function startRegisters(port: number): Promise<LocalServer> {
  const tokens = new Set<string>();
  const server = createServer(async (request, response) => {
    const { status, body } = await handle(request, tokens).catch(() => ({ status: 400, body: {} }));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  return start(server, port);
}

async function handle(request: IncomingMessage, tokens: Set<string>): Promise<RegisterResponse> {
  const { method, headers } = request;
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const route = `${method} ${pathname}`;
  if (headers['x-amz-target'] === 'secretsmanager.GetSecretValue') {
    return { status: 200, body: { SecretString: JSON.stringify(CLIENT) } };
  }
  if (route === `POST ${PATHS.tokens}`) return issueToken(request, tokens);
  if (route === `POST ${PATHS.bolagsverket}/organisationer`)
    return findOrganisations(request, tokens);
  if (route === `GET ${PATHS.prh}/companies`) {
    const companies = FINNISH.filter(
      ({ businessId }) => businessId.value === searchParams.get('businessId'),
    );
    return { status: 200, body: { totalResults: companies.length, companies } };
  }
  const number = new RegExp(`^GET ${PATHS.brreg}/enheter/(\\d{9})$`).exec(route)?.[1];
  const unit = NORWEGIAN.find(({ organisasjonsnummer }) => organisasjonsnummer === number);
  return unit ? { status: 200, body: unit } : { status: 404, body: {} };
}

async function issueToken(
  request: IncomingMessage,
  tokens: Set<string>,
): Promise<RegisterResponse> {
  const { clientId, clientSecret } = CLIENT;
  const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const form = new URLSearchParams(await text(request));
  if (
    request.headers.authorization !== `Basic ${Buffer.from(basic).toString('base64')}` ||
    form.get('grant_type') !== 'client_credentials'
  ) {
    return { status: 401, body: { error: 'invalid_client' } };
  }
  const access_token = randomUUID();
  tokens.add(access_token);
  return {
    status: 200,
    body: {
      access_token,
      token_type: 'Bearer',
      expires_in: TOKEN_LIFETIME_S,
      scope: form.get('scope'),
    },
  };
}

async function findOrganisations(
  request: IncomingMessage,
  tokens: Set<string>,
): Promise<RegisterResponse> {
  if (!tokens.has(request.headers.authorization?.replace('Bearer ', '') ?? '')) {
    return { status: 401, body: { status: 401, title: 'Unauthorized' } };
  }
  const { identitetsbeteckning } = (await json(request)) as { identitetsbeteckning: string };
  const organisationer = SWEDISH.filter(
    ({ organisationsidentitet }) =>
      organisationsidentitet.identitetsbeteckning === identitetsbeteckning,
  );
  const found = organisationer.length > 0 ? organisationer : [unknownSwedish(identitetsbeteckning)];
  return { status: 200, body: { organisationer: found } };
}
