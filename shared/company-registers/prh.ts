import * as v from 'valibot';
import type { CompanyStatus, NoCompany, RegisteredCompany } from '../domain/company.ts';
import type { CompanyRegister } from './company-register.ts';
import { RegisterError } from './company-register.ts';
import { expectBody, guarded } from './fetch-json.ts';

const NAME = 'PRH';
const text = () => v.nullish(v.string(), '');
/** Schema of a code: a string in some versions of the API, a number in others. */
const code = () => v.nullish(v.pipe(v.union([v.string(), v.number()]), v.transform(String)), '');

const CompanySchema = v.object({
  businessId: v.object({ value: v.string() }),
  names: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        type: code(),
        registrationDate: text(),
        endDate: v.nullish(v.string()),
      }),
    ),
    [],
  ),
  addresses: v.nullish(
    v.array(
      v.object({
        type: code(),
        street: text(),
        buildingNumber: text(),
        entrance: text(),
        apartmentNumber: text(),
        postCode: text(),
        postOfficeBox: text(),
        country: text(),
        postOffices: v.nullish(v.array(v.object({ city: text(), languageCode: code() })), []),
      }),
    ),
    [],
  ),
  companyForms: v.nullish(v.array(v.object({ type: code(), endDate: v.nullish(v.string()) })), []),
  companySituations: v.nullish(
    v.array(v.object({ type: code(), endDate: v.nullish(v.string()) })),
    [],
  ),
  endDate: v.nullish(v.string()),
});
const ResponseSchema = v.object({ companies: v.array(CompanySchema) });
type Company = v.InferOutput<typeof CompanySchema>;

/** Codes of the register. */
const CURRENT_NAME = '1';
const POSTAL_ADDRESS = '2';
/** Form of a sole trader (yksityinen elinkeinonharjoittaja, toiminimi). */
const SOLE_TRADER = '26';
const FINNISH = '1';
/** Situations that end a company, the most serious first; in a reorganisation it is active. */
const ENDINGS: readonly (readonly [type: string, status: CompanyStatus])[] = [
  ['KONK', 'bankrupt'],
  ['SELTILA', 'winding-up'],
];

/**
 * Returns Finland's business information system, by the Patent and Registration Office. It needs no
 * key; its data is published under CC BY 4.0.
 *
 * @param address of its API, such as `https://avoindata.prh.fi/opendata-ytj-api/v3`.
 * @see https://avoindata.prh.fi/opendata-ytj-api/v3/schema?lang=en
 */
export function prh(address: string): CompanyRegister {
  const guard = guarded(NAME);
  return {
    name: NAME,
    find: ({ inRegister }) =>
      guard(inRegister, async (send) => {
        const answer = await send(
          `${address}/companies?${new URLSearchParams({ businessId: inRegister })}`,
          { headers: { accept: 'application/json' } },
        );
        if (answer.status === 404) return 'unknown number';
        const ofNumber = expectBody(ResponseSchema, answer, NAME).companies.filter(
          ({ businessId }) => businessId.value === inRegister,
        );
        // If a number has passed to another company, take the one that exists.
        const company = ofNumber.find(({ endDate }) => !endDate) ?? ofNumber[0];
        return company ? toCompany(company) : 'unknown number';
      }),
  };
}

function toCompany(company: Company): RegisteredCompany | NoCompany {
  if (isSoleTrader(company)) return 'sole trader';
  const { names, addresses, endDate } = company;
  const address = addresses.find(({ type }) => type === POSTAL_ADDRESS) ?? addresses[0];
  const city =
    address?.postOffices.find(({ languageCode }) => languageCode === FINNISH) ??
    address?.postOffices[0];
  return {
    name: nameOf(names),
    street: address ? streetOf(address) : '',
    postcode: address?.postCode ?? '',
    city: city?.city ?? '',
    country: /^[A-Z]{2}$/.test(address?.country ?? '') ? (address?.country as string) : 'FI',
    status: statusOf(company),
    ...(endDate && { deregistered: endDate }),
  };
}

function isSoleTrader({ companyForms }: Company): boolean {
  const current = companyForms.filter(({ endDate }) => !endDate);
  // All forms of a company that has ended can have ended with it.
  return (current.length > 0 ? current : companyForms).some(({ type }) => type === SOLE_TRADER);
}

function statusOf({ companySituations, endDate }: Company): CompanyStatus {
  if (endDate) return 'deregistered';
  const types = companySituations.filter((each) => !each.endDate).map(({ type }) => type);
  return ENDINGS.find(([type]) => types.includes(type))?.[1] ?? 'active';
}

function nameOf(names: Company['names']): string {
  const latest = names
    .filter(({ type }) => type === CURRENT_NAME)
    // A name without an end date is the current one.
    .sort((a, b) => (key(a) < key(b) ? 1 : -1))[0];
  if (!latest) throw new RegisterError('unusable response', `${NAME} returns no name`);
  return latest.name;
}

const key = ({ endDate, registrationDate }: Company['names'][number]) =>
  `${endDate ? 0 : 1}${registrationDate}`;

function streetOf(address: Company['addresses'][number]): string {
  if (address.postOfficeBox) return `PL ${address.postOfficeBox}`;
  const { street, buildingNumber, entrance, apartmentNumber } = address;
  return [street, buildingNumber, entrance, apartmentNumber].filter(Boolean).join(' ');
}
