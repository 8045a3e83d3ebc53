import type { Country, IdentityNumber } from '../domain/identity-number.ts';
import { ENVIRONMENT } from '../environment.ts';

/** What a public register says of a company. */
export interface RegisteredCompany {
  readonly name: string;
  readonly street: string;
  /** As the register writes it. */
  readonly postcode: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Undefined where it cannot be told at the moment. */
  readonly status?: CompanyStatus | undefined;
  /** Day on which it was deregistered (ISO 8601), where it was and the register tells. */
  readonly deregistered?: string | undefined;
  /** Whether a part of it could not be told just now; it is not remembered then. */
  readonly isPartial?: boolean;
}

export const COMPANY_STATUSES = ['active', 'deregistered', 'bankrupt', 'winding-up'] as const;
export type CompanyStatus = (typeof COMPANY_STATUSES)[number];

/** The register of each country, as it is named in headers and by its variable. */
export const REGISTERS = {
  SE: 'bolagsverket',
  NO: 'brreg',
  FI: 'prh',
} as const satisfies Record<Country, keyof typeof ENVIRONMENT>;

/** Where a country's register is; undefined where it is not switched on. */
export function registerAddress(country: Country): string | undefined {
  return process.env[ENVIRONMENT[REGISTERS[country]]] || undefined;
}

/** The public company register of a country. */
export interface CompanyRegister {
  /** In texts. */
  readonly name: string;
  /**
   * @returns undefined where it knows no company with this number.
   * @throws RegisterFailure where it could not be asked, or gives no answer that makes sense.
   */
  find(number: IdentityNumber): Promise<RegisteredCompany | undefined>;
}

/** A register could not be asked, or its answer makes no sense; it says nothing of the number. */
export class RegisterFailure extends Error {
  /** Seconds after which the register wants to be asked again, where it says so. */
  readonly retryAfterS: number | undefined;

  constructor(message: string, retryAfterS?: number) {
    super(message);
    this.retryAfterS = retryAfterS;
  }
}
