import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Country } from '../shared/domain/identity-number.ts';
import { ENVIRONMENT } from '../shared/environment.ts';

/** The public company registers that a deployment queries, and their addresses. */
export interface RegisterSettings {
  readonly countries: readonly Country[];
  readonly bolagsverket: string;
  readonly bolagsverketTokens: string;
  /** Name of the secret with `clientId` and `clientSecret`. */
  readonly bolagsverketSecret: string;
  readonly brreg: string;
  readonly prh: string;
  /** Days for which a register's entry is cached. */
  readonly cacheDays: number;
}

/** Default addresses. Context of the same name sets another, such as Bolagsverket's test system. */
export const REGISTER_ADDRESSES = {
  bolagsverketAddress: 'https://gw.api.bolagsverket.se/vardefulla-datamangder/v1',
  bolagsverketTokenAddress: 'https://portal.api.bolagsverket.se/oauth2/token',
  brregAddress: 'https://data.brreg.no/enhetsregisteret/api',
  prhAddress: 'https://avoindata.prh.fi/opendata-ytj-api/v3',
} as const;

/** Returns the variables of the enabled registers, for the function that queries them. */
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

/** Returns the permission to read Bolagsverket's secret, if that register is enabled. */
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
