import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../shared/environment.ts';
import { secretStatement } from './permissions.ts';
import type { RegisterSettings } from './settings.ts';

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
  return countries.includes('SE') ? [secretStatement(scope, bolagsverketSecret)] : [];
}
