import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import type { Credentials } from './access-token.ts';

const CredentialsSchema = v.object({
  clientId: v.pipe(v.string(), v.minLength(1)),
  clientSecret: v.pipe(v.string(), v.minLength(1)),
});

/**
 * Returns a function that reads credentials from Secrets Manager, once per execution environment.
 *
 * @param secret name or ARN of a secret that is JSON with `clientId` and `clientSecret`.
 * @throws Error if the secret is not available or has another form; its value is not in the text.
 */
export function credentialsIn(secret: string): () => Promise<Credentials> {
  let credentials: Promise<Credentials> | undefined;
  return () => {
    credentials ??= read(secret).catch((error) => {
      // The secret may have been corrected by the next call.
      credentials = undefined;
      throw error;
    });
    return credentials;
  };
}

async function read(secret: string): Promise<Credentials> {
  const client = new SecretsManagerClient({ maxAttempts: 2 });
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  client.destroy();
  try {
    return v.parse(CredentialsSchema, JSON.parse(SecretString));
  } catch {
    throw new Error(`The secret ${secret} is not JSON with clientId and clientSecret`);
  }
}
