import { ENVIRONMENT, requiredNumber } from '../config.ts';
import type { IdentityNumber } from '../customer/identity-number.ts';
import { loggable } from '../http/failures.ts';
import { Problem } from '../http/problem.ts';
import { type FoundCompany, getFoundCompany, rememberCompany } from '../store/company-cache.ts';
import { bolagsverket } from './bolagsverket.ts';
import { brreg } from './brreg.ts';
import { type CompanyRegister, RegisterFailure } from './company-register.ts';
import { credentialsIn } from './credentials.ts';
import { prh } from './prh.ts';

const DAY_S = 24 * 60 * 60;
/** When to try again, where a register does not say it. */
const RETRY_AFTER_S = 5;

const registers = configuredRegisters();
const lifetimeS = requiredNumber('companyCacheDays') * DAY_S;

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
  const register = registers.find(({ country }) => country === number.country);
  if (!register) return undefined;
  const known = await getFoundCompany(merchant, number.canonical);
  if (known) return known;
  const company = await ask(register, number);
  if (!company) return undefined;
  const found = { company, source: register.id, retrieved: new Date().toISOString() };
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
    console.warn({ message: 'A register failed', register: register.id, reason: error.message });
    const after = error.retryAfterS ?? RETRY_AFTER_S;
    throw new Problem(
      503,
      `${register.name} cannot be asked at the moment, and no customer has this number. Try again shortly.`,
      { headers: { 'retry-after': String(after) } },
    );
  }
}

/** Each is on where the environment says where it is. */
function configuredRegisters(): CompanyRegister[] {
  const of = (name: keyof typeof ENVIRONMENT) => process.env[ENVIRONMENT[name]];
  const [norwegian, finnish, swedish] = [of('brreg'), of('prh'), of('bolagsverket')];
  const [tokenAddress = '', secret = ''] = [of('bolagsverketTokens'), of('bolagsverketSecret')];
  return [
    ...(norwegian ? [brreg(norwegian)] : []),
    ...(finnish ? [prh(finnish)] : []),
    ...(swedish
      ? [bolagsverket({ address: swedish, tokenAddress, credentials: credentialsIn(secret) })]
      : []),
  ];
}
