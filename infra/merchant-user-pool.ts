import { Duration, Validations } from 'aws-cdk-lib';
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
import { MERCHANT_ATTRIBUTE, READ_ONLY_GROUP } from '../shared/environment.ts';
import { BundledFunction, type BundledFunctionProps } from './bundled-function.ts';
import { claimVariables } from './environment.ts';
import { removalPolicy } from './retention.ts';
import type { Identity } from './settings.ts';

export interface MerchantUserPoolProps extends Pick<BundledFunctionProps, 'settings' | 'bundles'> {}

/**
 * Cognito user pool. Each user belongs to one merchant, permanently. All users share one app
 * client: with a client per merchant, the authorizer's audience would grow with every merchant.
 */
export class MerchantUserPool extends UserPool implements Identity {
  /** Adds the merchant and the user's scopes to access tokens. */
  readonly tokenTrigger: BundledFunction;
  readonly clientId: string;
  readonly issuer: string;
  readonly audience: readonly string[];

  constructor(scope: Construct, id: string, { settings, bundles }: MerchantUserPoolProps) {
    super(scope, id, {
      // The cheapest plan in which a trigger can change access tokens.
      featurePlan: FeaturePlan.ESSENTIALS,
      selfSignUpEnabled: false,
      signInCaseSensitive: false,
      standardAttributes: { email: { required: true, mutable: true } },
      customAttributes: {
        [MERCHANT_ATTRIBUTE]: new StringAttribute({ minLen: 1, maxLen: 64, mutable: false }),
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
      deletionProtection: settings.protected,
      removalPolicy: removalPolicy(settings),
    });
    this.tokenTrigger = new BundledFunction(this, 'AddTokenClaims', {
      settings,
      bundles,
      name: 'add-token-claims',
      description: 'Adds the merchant and the scopes of a user to access tokens',
      memorySize: 512,
      // Cognito waits no longer.
      timeout: Duration.seconds(5),
      environment: claimVariables(settings),
      latencyThreshold: { p99Ms: 3_000, periods: 1 },
    });
    this.addTrigger(
      UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      this.tokenTrigger.function,
      LambdaVersion.V2_0,
    );
    // Without the group, a user who was in it would get the scope for writing.
    this.addGroup('ReadOnly', {
      groupName: READ_ONLY_GROUP,
      description: 'Users who may read customers and not change them',
    }).applyRemovalPolicy(removalPolicy(settings));
    const client = this.addClient('Client', {
      authFlows: { userPassword: true, userSrp: true },
      disableOAuth: true,
      preventUserExistenceErrors: true,
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.days(30),
      enableTokenRevocation: true,
      // A user may change the email address, which account recovery uses, and nothing else.
      writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
    });
    this.clientId = client.userPoolClientId;
    this.issuer = this.userPoolProviderUrl;
    // Cognito's access tokens have the client in `client_id`; the authorizer accepts it as `aud`.
    this.audience = [this.clientId];
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-COG2',
        reason:
          'Callers are programs of merchants, which cannot enter a code; a person who signs in may add a time-based one.',
      },
      {
        id: 'AwsSolutions-COG8',
        reason:
          'Threat protection of the Plus plan scores sign-ins of people by device and location, which says little about programs. Self sign-up is off and passwords have 16 characters; a deployment that needs more sets its own issuer.',
      },
    );
  }
}
