import type { RegisteredCompany } from '../domain/company.ts';
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
   * @returns undefined if the register has no company with this number.
   * @throws RegisterError if the register cannot be reached or its response is unusable.
   */
  find(number: IdentityNumber): Promise<RegisteredCompany | undefined>;
}

/** A register could not be reached, or its response is unusable; it says nothing about the number. */
export class RegisterError extends Error {
  /** Value of the register's Retry-After header in seconds, if it sent one. */
  readonly retryAfterS: number | undefined;

  constructor(message: string, retryAfterS?: number) {
    super(message);
    this.retryAfterS = retryAfterS;
  }
}
