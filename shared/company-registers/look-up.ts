import { loggable } from '../aws-errors.ts';
import { UnavailableError, UnusableResponseError } from '../domain/errors.ts';
import { COUNTRIES, type Country, type IdentityNumber } from '../domain/identity-number.ts';
import { NO_COMPANY_LIFETIME_S } from '../domain/limits.ts';
import { required, requiredNumber } from '../environment.ts';
import { cacheResult, getCachedResult, type LookUpResult } from '../storage/company-cache.ts';
import { countLookUp } from '../storage/look-up-rate.ts';
import { bolagsverket } from './bolagsverket.ts';
import { brreg } from './brreg.ts';
import {
  type CompanyRegister,
  REGISTERS,
  RegisterError,
  registerAddress,
} from './company-register.ts';
import { credentialsIn } from './credentials.ts';
import { prh } from './prh.ts';

const DAY_S = 24 * 60 * 60;
/** When to retry, if a register does not say. */
const RETRY_AFTER_S = 5;

const companyLifetimeS = requiredNumber('companyCacheDays') * DAY_S;

const CREATE: Readonly<Record<Country, (address: string) => CompanyRegister>> = {
  SE: (address) =>
    bolagsverket({
      address,
      tokenAddress: required('bolagsverketTokens'),
      credentials: credentialsIn(required('bolagsverketSecret')),
    }),
  NO: brreg,
  FI: prh,
};
/** Each keeps its circuit breaker and token for the life of the execution environment. */
const registers = new Map(
  COUNTRIES.flatMap((country) => {
    const address = registerAddress(country);
    return address ? [[country, CREATE[country](address)] as const] : [];
  }),
);

/**
 * Looks a company up in the public register of its country. Returns the merchant's cached result
 * until it expires, else what the register says now.
 *
 * @throws RateLimitError if the merchant has looked up too many numbers in this minute.
 * @throws UnavailableError if the register cannot be reached, or has no data for now.
 * @throws UnusableResponseError if the register rejects the request, or its response has another form.
 */
export async function lookUpCompany(
  merchantId: string,
  number: IdentityNumber,
): Promise<LookUpResult> {
  const register = registers.get(number.country);
  if (!register) return 'unknown number';
  const cached = await getCachedResult(merchantId, number.canonical);
  if (cached) return cached;
  await countLookUp(merchantId);
  const found = await find(register, number);
  if (typeof found === 'string') {
    await cache(merchantId, number, found, NO_COMPANY_LIFETIME_S);
    return found;
  }
  const source = REGISTERS[number.country];
  const entry = { company: found, source, retrieved: new Date().toISOString() };
  if (!found.isPartial) await cache(merchantId, number, entry, companyLifetimeS);
  return entry;
}

/** Caches a result; if that fails, the caller gets the result all the same. */
async function cache(
  merchantId: string,
  { canonical }: IdentityNumber,
  result: LookUpResult,
  lifetimeS: number,
): Promise<void> {
  await cacheResult(merchantId, canonical, result, lifetimeS).catch((error) => {
    console.warn({ message: 'A company could not be cached', ...loggable(error) });
  });
}

async function find(register: CompanyRegister, number: IdentityNumber) {
  try {
    return await register.find(number);
  } catch (error) {
    if (!(error instanceof RegisterError)) throw error;
    const isUnusable = error.failure === 'unusable response';
    // An outage ends by itself; a response that is not understood needs a developer.
    console[isUnusable ? 'error' : 'warn']({
      message: 'A company register failed',
      register: REGISTERS[number.country],
      // Our own text, which does not contain the number.
      reason: error.message,
    });
    if (isUnusable) {
      throw new UnusableResponseError(
        `The response of ${register.name} cannot be used, and no customer has this number.`,
      );
    }
    throw new UnavailableError(
      `${register.name} cannot be asked at the moment, and no customer has this number.`,
      error.retryAfterS ?? RETRY_AFTER_S,
    );
  }
}
