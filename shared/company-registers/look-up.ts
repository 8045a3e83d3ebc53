import { loggable } from '../aws-errors.ts';
import { COUNTRIES, type Country, type IdentityNumber } from '../domain/identity-number.ts';
import { required, requiredNumber } from '../environment.ts';
import { Problem } from '../http/problem-details.ts';
import { type FoundCompany, getFoundCompany, rememberCompany } from '../storage/company-cache.ts';
import { bolagsverket } from './bolagsverket.ts';
import { brreg } from './brreg.ts';
import {
  type CompanyRegister,
  REGISTERS,
  RegisterFailure,
  registerAddress,
} from './company-register.ts';
import { credentialsIn } from './credentials.ts';
import { prh } from './prh.ts';

const DAY_S = 24 * 60 * 60;
/** When to try again, where a register does not say it. */
const RETRY_AFTER_S = 5;

const lifetimeS = requiredNumber('companyCacheDays') * DAY_S;

const MAKE: Readonly<Record<Country, (address: string) => CompanyRegister>> = {
  SE: (address) =>
    bolagsverket({
      address,
      tokenAddress: required('bolagsverketTokens'),
      credentials: credentialsIn(required('bolagsverketSecret')),
    }),
  NO: brreg,
  FI: prh,
};
/** Each with its circuit breaker and token, for as long as the sandbox lives. */
const registers = new Map(
  COUNTRIES.flatMap((country) => {
    const address = registerAddress(country);
    return address ? [[country, MAKE[country](address)] as const] : [];
  }),
);

/**
 * Looks a company up in the public register of its country: what the merchant was told before, as
 * long as it is remembered, and otherwise what the register says now.
 *
 * @returns undefined where the register knows none, or is not switched on.
 * @throws Problem 503 where the register cannot be asked.
 */
export async function lookUpCompany(
  merchant: string,
  number: IdentityNumber,
): Promise<FoundCompany | undefined> {
  const register = registers.get(number.country);
  if (!register) return undefined;
  const known = await getFoundCompany(merchant, number.canonical);
  if (known) return known;
  const company = await ask(register, number);
  if (!company) return undefined;
  const found = { company, source: REGISTERS[number.country], retrieved: new Date().toISOString() };
  if (!company.isPartial) {
    await rememberCompany(merchant, number.canonical, found, lifetimeS).catch((error) => {
      // It is found all the same.
      console.warn({ message: 'A company is not remembered', ...loggable(error) });
    });
  }
  return found;
}

async function ask(register: CompanyRegister, number: IdentityNumber) {
  try {
    return await register.find(number);
  } catch (error) {
    if (!(error instanceof RegisterFailure)) throw error;
    // The text is ours, and says nothing of who was looked up.
    console.warn({
      message: 'A register failed',
      register: REGISTERS[number.country],
      reason: error.message,
    });
    const after = error.retryAfterS ?? RETRY_AFTER_S;
    throw new Problem(
      503,
      `${register.name} cannot be asked at the moment, and no customer has this number. Try again shortly.`,
      { headers: { 'retry-after': String(after) } },
    );
  }
}
