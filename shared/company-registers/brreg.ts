import * as v from 'valibot';
import type { CompanyStatus, NoCompany, RegisteredCompany } from '../domain/company.ts';
import type { CompanyRegister } from './company-register.ts';
import { expectBody, guarded } from './fetch-json.ts';

const NAME = 'Brønnøysundregistrene';
const text = () => v.nullish(v.string(), '');

const AddressSchema = v.object({
  adresse: v.nullish(v.array(v.nullish(v.string(), '')), []),
  postnummer: text(),
  poststed: text(),
  landkode: text(),
});
const UnitSchema = v.object({
  organisasjonsnummer: v.string(),
  navn: v.string(),
  // Without it, a person could be taken for a company.
  organisasjonsform: v.object({ kode: v.string() }),
  postadresse: v.nullish(AddressSchema),
  forretningsadresse: v.nullish(AddressSchema),
  konkurs: v.nullish(v.boolean(), false),
  underAvvikling: v.nullish(v.boolean(), false),
  underTvangsavviklingEllerTvangsopplosning: v.nullish(v.boolean(), false),
  slettedato: v.nullish(v.string()),
});

/** Codes of persons: sole traders (enkeltpersonforetak), and others that are registered somewhere. */
const PERSONS = ['ENK', 'PERS'];

/**
 * Returns Norway's Enhetsregisteret. It needs no key.
 *
 * @param address of its API, such as `https://data.brreg.no/enhetsregisteret/api`.
 * @see https://data.brreg.no/enhetsregisteret/api/dokumentasjon/no/index.html
 */
export function brreg(address: string): CompanyRegister {
  const guard = guarded(NAME);
  return {
    name: NAME,
    find: ({ inRegister }) =>
      guard(inRegister, async (send) => {
        const answer = await send(`${address}/enheter/${inRegister}`, {
          headers: { accept: 'application/json' },
        });
        // 410: the unit had to be removed from the register by law.
        if (answer.status === 404 || answer.status === 410) return 'unknown number';
        return toCompany(expectBody(UnitSchema, answer, NAME));
      }),
  };
}

function toCompany(unit: v.InferOutput<typeof UnitSchema>): RegisteredCompany | NoCompany {
  if (PERSONS.includes(unit.organisasjonsform.kode)) return 'sole trader';
  // Letters and invoices go to the postal address, if there is one.
  const address = unit.postadresse ?? unit.forretningsadresse;
  return {
    name: unit.navn,
    street: (address?.adresse ?? []).filter(Boolean).join(', '),
    postcode: address?.postnummer ?? '',
    city: address?.poststed ?? '',
    country: address?.landkode || 'NO',
    status: statusOf(unit),
    ...(unit.slettedato && { deregistered: unit.slettedato }),
  };
}

function statusOf(unit: v.InferOutput<typeof UnitSchema>): CompanyStatus {
  if (unit.slettedato) return 'deregistered';
  if (unit.konkurs) return 'bankrupt';
  const windingUp = unit.underAvvikling || unit.underTvangsavviklingEllerTvangsopplosning;
  return windingUp ? 'winding-up' : 'active';
}
