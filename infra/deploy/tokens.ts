import * as v from 'valibot';
import { UsageError } from '../command.ts';
import { smokeSecret } from '../smoke-secret.ts';
import { aws } from './aws.ts';

/** Names of the logins in the secret, in this order. */
const LOGINS = ['first', 'second', 'readOnly'] as const;

const text = v.pipe(v.string(), v.minLength(1));
/** A user of the stack's user pool, or a client of an issuer that knows client credentials. */
const LOGIN = v.union([
  v.strictObject({ clientId: text, username: text, password: text }),
  v.strictObject({
    tokenEndpoint: v.pipe(text, v.url()),
    clientId: text,
    clientSecret: text,
    scope: v.optional(text),
  }),
]);
const SECRET = v.strictObject(v.entriesFromList(LOGINS, LOGIN));
type Login = v.InferOutput<typeof LOGIN>;

/**
 * Returns tokens of two reserved merchants, and one of the first with the scope to read alone:
 * those in `API_TOKENS`, separated by commas, or of the logins in the stage's secret.
 *
 * @throws UsageError if the secret has another form, or an issuer refuses a login.
 */
export async function readTokens(stage: string): Promise<string[]> {
  if (process.env.API_TOKENS) return process.env.API_TOKENS.split(',');
  const id = smokeSecret(stage);
  const { SecretString } = aws<{ SecretString: string }>([
    'secretsmanager',
    'get-secret-value',
    '--secret-id',
    id,
  ]);
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), SECRET), SecretString);
  if (!success) {
    throw new UsageError(
      `Secret ${id}: must have ${LOGINS.join(', ')}, each with clientId, username and password, or with tokenEndpoint, clientId and clientSecret.`,
    );
  }
  return Promise.all(LOGINS.map((name) => signIn(name, output[name])));
}

/** Of Cognito, and of an OAuth issuer. */
interface SignInResponse {
  readonly AuthenticationResult?: { readonly AccessToken?: string };
  readonly access_token?: string;
  readonly message?: string;
  readonly error?: string;
  readonly error_description?: string;
}

async function signIn(name: string, login: Login): Promise<string> {
  const response = await ('username' in login ? cognito(login) : clientCredentials(login));
  const body = (await response.json().catch(() => ({}))) as SignInResponse;
  const token = body.AuthenticationResult?.AccessToken ?? body.access_token;
  if (typeof token === 'string') return token;
  const reason = body.message ?? body.error_description ?? body.error ?? '';
  throw new UsageError(`Sign-in of ${name} failed with ${response.status}: ${reason}`);
}

/** @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html */
function cognito({ clientId, username, password }: Extract<Login, { username: string }>) {
  const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  const url =
    process.env.AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER ??
    `https://cognito-idp.${region}.amazonaws.com/`;
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
    },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: clientId,
      AuthParameters: { USERNAME: username, PASSWORD: password },
    }),
  });
}

/** RFC 6749, section 4.4. */
function clientCredentials(login: Extract<Login, { tokenEndpoint: string }>) {
  const { tokenEndpoint, clientId, clientSecret, scope } = login;
  const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
  return fetch(tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
  });
}
