import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Country } from '../shared/domain/identity-number.ts';
import { ENVIRONMENT } from '../shared/environment.ts';

/** The public company registers that a deployment asks, and where. */
export interface RegisterSettings {
  readonly countries: readonly Country[];
  readonly bolagsverket: string;
  readonly bolagsverketTokens: string;
  /** Name of the secret with `clientId` and `clientSecret`. */
  readonly bolagsverketSecret: string;
  readonly brreg: string;
  readonly prh: string;
  /** For how long what they tell is remembered. */
  readonly cacheDays: number;
}

/** Where they are; context of the same name leads elsewhere, such as to Bolagsverket's test. */
export const REGISTER_ADDRESSES = {
  bolagsverketAddress: 'https://gw.api.bolagsverket.se/vardefulla-datamangder/v1',
  bolagsverketTokenAddress: 'https://portal.api.bolagsverket.se/oauth2/token',
  brregAddress: 'https://data.brreg.no/enhetsregisteret/api',
  prhAddress: 'https://avoindata.prh.fi/opendata-ytj-api/v3',
} as const;

/** What the look-up's function is told of the registers; nothing of one that is off. */
export function registerVariables(registers: RegisterSettings): Record<string, string> {
  const { countries, brreg, prh, cacheDays } = registers;
  if (countries.length === 0) return {};
  return {
    [ENVIRONMENT.companyCacheDays]: String(cacheDays),
    ...(countries.includes('NO') && { [ENVIRONMENT.brreg]: brreg }),
    ...(countries.includes('FI') && { [ENVIRONMENT.prh]: prh }),
    ...(countries.includes('SE') && {
      [ENVIRONMENT.bolagsverket]: registers.bolagsverket,
      [ENVIRONMENT.bolagsverketTokens]: registers.bolagsverketTokens,
      [ENVIRONMENT.bolagsverketSecret]: registers.bolagsverketSecret,
    }),
  };
}

/** Lets the look-up's function read the one secret it needs, where it needs one. */
export function registerStatements(
  scope: Construct,
  { countries, bolagsverketSecret }: RegisterSettings,
): PolicyStatement[] {
  if (!countries.includes('SE')) return [];
  const secret = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    // Secrets Manager adds six characters to the name.
    resourceName: `${bolagsverketSecret}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return [new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secret] })];
}
