import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { CompanyStatus, NoCompany, RegisteredCompany } from '../domain/company.ts';
import { accessTokens, type Credentials } from './access-token.ts';
import type { CompanyRegister } from './company-register.ts';
import { RegisterError } from './company-register.ts';
import { expectBody, guarded } from './fetch-json.ts';

const NAME = 'Bolagsverket';
const SCOPE = 'vardefulla-datamangder:read';
const text = () => v.nullish(v.string(), '');
/** Why a block is empty. */
const fault = () => v.nullish(v.object({ typ: text() }));

const OrganisationSchema = v.object({
  organisationsform: v.nullish(v.object({ kod: text() })),
  juridiskForm: v.nullish(v.object({ kod: text() })),
  organisationsnamn: v.nullish(
    v.object({
      organisationsnamnLista: v.nullish(
        v.array(
          v.object({
            namn: v.string(),
            organisationsnamntyp: v.nullish(v.object({ kod: text() })),
            registreringsdatum: text(),
          }),
        ),
        [],
      ),
      fel: fault(),
    }),
  ),
  postadressOrganisation: v.nullish(
    v.object({
      postadress: v.nullish(
        v.object({
          utdelningsadress: text(),
          postnummer: text(),
          postort: text(),
          land: text(),
        }),
      ),
      fel: fault(),
    }),
  ),
  avregistreradOrganisation: v.nullish(v.object({ avregistreringsdatum: text(), fel: fault() })),
  pagaendeAvvecklingsEllerOmstruktureringsforfarande: v.nullish(
    v.object({
      pagaendeAvvecklingsEllerOmstruktureringsforfarandeLista: v.nullish(
        v.array(v.object({ kod: text() })),
        [],
      ),
      fel: fault(),
    }),
  ),
});
const ResponseSchema = v.object({ organisationer: v.array(OrganisationSchema) });
type Organisation = v.InferOutput<typeof OrganisationSchema>;

const COMPANY_NAME = 'FORETAGSNAMN';
/** Bolagsverket's code of a sole trader (enskild näringsverksamhet), and SCB's of a person. */
const SOLE_TRADER = 'E';
const PERSON = '10';
/** Type of a fault: the source has no such organisation. Other faults are transient. */
const UNKNOWN = 'ORGANISATION_FINNS_EJ';
/** Proceedings that end a company, the most serious first; with others, such as mergers, it is active. */
const ENDINGS: readonly (readonly [code: string, status: CompanyStatus])[] = [
  ['KK', 'bankrupt'],
  ['LI', 'winding-up'],
];

/** Addresses of Bolagsverket, and credentials for it. */
export interface BolagsverketOptions {
  /** Address of its API, such as `https://gw.api.bolagsverket.se/vardefulla-datamangder/v1`. */
  readonly address: string;
  /** Address that issues access tokens, such as `https://portal.api.bolagsverket.se/oauth2/token`. */
  readonly tokenAddress: string;
  readonly credentials: () => Promise<Credentials>;
}

/** Returns Sweden's Bolagsverket, by its API for high-value datasets (värdefulla datamängder). */
export function bolagsverket({
  address,
  tokenAddress,
  credentials,
}: BolagsverketOptions): CompanyRegister {
  const guard = guarded(NAME);
  const tokens = accessTokens(tokenAddress, SCOPE, credentials);
  return {
    name: NAME,
    find: ({ inRegister }) =>
      guard(inRegister, async (send) => {
        const answer = await send(`${address}/organisationer`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${await tokens.get(send)}`,
            accept: 'application/json',
            'content-type': 'application/json',
            'x-request-id': randomUUID(),
          },
          body: JSON.stringify({ identitetsbeteckning: inRegister }),
        });
        if (answer.status === 404) return 'unknown number';
        if (answer.status === 401) tokens.forget();
        return toCompany(expectBody(ResponseSchema, answer, NAME).organisationer);
      }),
  };
}

/** Returns the company of the rows of a number, which can be several, such as one per former name. */
function toCompany(rows: readonly Organisation[]): RegisteredCompany | NoCompany {
  const known = rows.filter(({ organisationsnamn }) => organisationsnamn?.fel?.typ !== UNKNOWN);
  const row = known.find((each) => !deregistrationOf(each)) ?? known[0];
  if (!row) return 'unknown number';
  // Such a number is the owner's personnummer, which is not sent here; this is for any exception.
  const { organisationsform, juridiskForm } = row;
  if (organisationsform?.kod === SOLE_TRADER || juridiskForm?.kod === PERSON) return 'sole trader';
  const names = row.organisationsnamn?.organisationsnamnLista ?? [];
  const latest = names.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))[0];
  if (!latest) {
    const failure = isFaulty(row.organisationsnamn) ? 'missing data' : 'unusable response';
    throw new RegisterError(failure, `${NAME} returns no name`);
  }
  const address = row.postadressOrganisation?.postadress;
  const deregistered = deregistrationOf(row);
  const status = statusOf(row);
  return {
    name: latest.namn,
    street: address?.utdelningsadress ?? '',
    postcode: address?.postnummer ?? '',
    city: address?.postort ?? '',
    country: countryCode(address?.land ?? ''),
    ...(status && { status }),
    ...(deregistered && { deregistered }),
    isPartial: !status || isFaulty(row.postadressOrganisation),
  };
}

/** Returns the status; undefined if a block that decides it is missing for now. */
function statusOf(row: Organisation): CompanyStatus | undefined {
  const proceedings = row.pagaendeAvvecklingsEllerOmstruktureringsforfarande;
  if (deregistrationOf(row)) return 'deregistered';
  if (isFaulty(row.avregistreradOrganisation) || isFaulty(proceedings)) return undefined;
  const codes = (proceedings?.pagaendeAvvecklingsEllerOmstruktureringsforfarandeLista ?? []).map(
    ({ kod }) => kod,
  );
  return ENDINGS.find(([code]) => codes.includes(code))?.[1] ?? 'active';
}

/** Returns whether a block is empty because its source was not available. */
function isFaulty(block: { fel?: { typ: string } | null | undefined } | null | undefined): boolean {
  return !!block?.fel && block.fel.typ !== UNKNOWN;
}

/** Returns a sort key: the company's own names above others, later ones above earlier ones. */
function rank({
  organisationsnamntyp,
  registreringsdatum,
}: NonNullable<Organisation['organisationsnamn']>['organisationsnamnLista'][number]): string {
  return `${organisationsnamntyp?.kod === COMPANY_NAME ? 1 : 0}${registreringsdatum}`;
}

function deregistrationOf({ avregistreradOrganisation }: Organisation): string | undefined {
  return avregistreradOrganisation?.avregistreringsdatum || undefined;
}

/** Returns the code of a country, which Bolagsverket writes by its Swedish name, Sweden as empty. */
function countryCode(land: string): string {
  const wanted = land.trim().toLowerCase();
  if (wanted === '') return 'SE';
  const names = new Intl.DisplayNames('sv', { type: 'region' });
  const codes = REGION_LETTERS.flatMap((first) => REGION_LETTERS.map((second) => first + second));
  const found = codes.find(
    (code) => code.toLowerCase() === wanted || names.of(code)?.toLowerCase() === wanted,
  );
  return found ?? 'SE';
}

const REGION_LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
