import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import type { Credentials } from './access-token.ts';

const CredentialsSchema = v.object({
  clientId: v.pipe(v.string(), v.minLength(1)),
  clientSecret: v.pipe(v.string(), v.minLength(1)),
});

/**
 * Reads credentials from Secrets Manager, once in the life of a function's sandbox.
 *
 * @param secret its name or ARN; it is JSON with `clientId` and `clientSecret`.
 * @throws Error where it cannot be read or has another form; nothing of it is in the text.
 */
export function credentialsIn(secret: string): () => Promise<Credentials> {
  let credentials: Promise<Credentials> | undefined;
  return () => {
    credentials ??= read(secret).catch((error) => {
      // It may have been put right by the next call.
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
