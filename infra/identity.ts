import { CfnOutput, Duration, Validations } from 'aws-cdk-lib';
import {
  AccountRecovery,
  ClientAttributes,
  FeaturePlan,
  LambdaVersion,
  Mfa,
  StringAttribute,
  UserPool,
  UserPoolOperation,
} from 'aws-cdk-lib/aws-cognito';
import type { Construct } from 'constructs';
import { MERCHANT_ATTRIBUTE } from '../shared/environment.ts';
import { addFunction } from './functions.ts';
import type { Identity, Settings } from './settings.ts';
import { removalPolicy } from './storage.ts';

/**
 * A user pool whose users belong to one merchant each, for good, with one app client for all of
 * them. (With a client per merchant the authorizer's list would grow with every merchant.)
 *
 * @param environment the names of the claims, as the API's functions have them.
 */
export function addUserPool(
  scope: Construct,
  settings: Settings,
  environment: Record<string, string>,
): Identity {
  const pool = new UserPool(scope, 'Users', {
    // The smallest plan in which a trigger can change access tokens.
    featurePlan: FeaturePlan.ESSENTIALS,
    selfSignUpEnabled: false,
    signInCaseSensitive: false,
    standardAttributes: { email: { required: true, mutable: true } },
    customAttributes: {
      [MERCHANT_ATTRIBUTE]: new StringAttribute({
        minLen: 1,
        maxLen: 64,
        mutable: false,
      }),
    },
    passwordPolicy: {
      minLength: 16,
      requireLowercase: true,
      requireUppercase: true,
      requireDigits: true,
      requireSymbols: true,
      tempPasswordValidity: Duration.days(3),
    },
    accountRecovery: AccountRecovery.EMAIL_ONLY,
    mfa: Mfa.OPTIONAL,
    mfaSecondFactor: { sms: false, otp: true },
    deletionProtection: settings.production,
    removalPolicy: removalPolicy(settings),
  });
  acknowledge(pool);
  const trigger = addFunction(scope, 'add-token-claims', settings, {
    description: 'Puts merchant and scopes into access tokens',
    memorySize: 512,
    // Cognito waits no longer.
    timeout: Duration.seconds(5),
    environment,
    statements: [],
  });
  pool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, trigger, LambdaVersion.V2_0);
  const client = pool.addClient('Client', {
    authFlows: { userPassword: true, userSrp: true },
    disableOAuth: true,
    preventUserExistenceErrors: true,
    accessTokenValidity: Duration.hours(1),
    idTokenValidity: Duration.hours(1),
    refreshTokenValidity: Duration.days(30),
    enableTokenRevocation: true,
    // The address for recovery, and no other attribute, may a user change.
    writeAttributes: new ClientAttributes().withStandardAttributes({
      email: true,
    }),
  });
  new CfnOutput(scope, 'UserPoolId', { value: pool.userPoolId });
  new CfnOutput(scope, 'ClientId', { value: client.userPoolClientId });
  // Cognito's access tokens name the client in client_id, which the authorizer takes for aud.
  return {
    issuer: pool.userPoolProviderUrl,
    audience: [client.userPoolClientId],
  };
}

function acknowledge(pool: UserPool): void {
  Validations.of(pool).acknowledge(
    {
      id: 'AwsSolutions-COG2',
      reason:
        'Callers are programs of merchants, which cannot type a code; a person who signs in may add a time-based one.',
    },
    {
      id: 'AwsSolutions-COG8',
      reason:
        'Threat protection of the Plus plan scores sign-ins of people by device and place, which says little of programs. Self sign-up is off and passwords have 16 characters; whoever wants more brings an own issuer by context.',
    },
  );
}
