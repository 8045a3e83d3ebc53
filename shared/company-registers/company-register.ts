import type { NoCompany, RegisteredCompany } from '../domain/company.ts';
import type { Country, IdentityNumber } from '../domain/identity-number.ts';
import { ENVIRONMENT } from '../environment.ts';

/** Name of each country's register, in headers and environment variables. */
export const REGISTERS = {
  SE: 'bolagsverket',
  NO: 'brreg',
  FI: 'prh',
} as const satisfies Record<Country, keyof typeof ENVIRONMENT>;

/** Returns the address of a country's register; undefined if it is not enabled. */
export function registerAddress(country: Country): string | undefined {
  return process.env[ENVIRONMENT[REGISTERS[country]]] || undefined;
}

/** The public company register of a country. */
export interface CompanyRegister {
  /** Name in error texts. */
  readonly name: string;
  /**
   * Returns the company, or why there is none. A sole trader's entry names a person and often a home
   * address, so that it is not returned.
   *
   * @throws RegisterError if the register has no answer for this number.
   */
  find(number: IdentityNumber): Promise<RegisteredCompany | NoCompany>;
}

/**
 * Why a register has no answer:
 *
 * - `outage`: it is overloaded or cannot be reached.
 * - `missing data`: it is available, but has no data for this number for now.
 * - `unusable response`: it rejects the request, or its response has another form than documented.
 */
export type RegisterFailure = 'outage' | 'missing data' | 'unusable response';

/** A register has no answer, which says nothing about the number. */
export class RegisterError extends Error {
  readonly failure: RegisterFailure;
  /** Value of the register's Retry-After header in seconds, if it sent one. */
  readonly retryAfterS: number | undefined;

  /** @param message is logged, so that it must not contain the number. */
  constructor(failure: RegisterFailure, message: string, retryAfterS?: number) {
    super(message);
    this.failure = failure;
    this.retryAfterS = retryAfterS;
  }
}
