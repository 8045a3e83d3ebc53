import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { CompanyStatus, RegisteredCompany } from '../domain/company.ts';
import { accessTokens, type Credentials } from './access-token.ts';
import type { CompanyRegister } from './company-register.ts';
import { RegisterError } from './company-register.ts';
import { expectBody, guarded } from './fetch-json.ts';

const NAME = 'Bolagsverket';
const SCOPE = 'vardefulla-datamangder:read';
const text = () => v.nullish(v.string(), '');
/** Beside a block that has nothing in it: why not. */
const fault = () => v.nullish(v.object({ typ: text() }));

const OrganisationSchema = v.object({
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
const AnswerSchema = v.object({ organisationer: v.array(OrganisationSchema) });
type Organisation = v.InferOutput<typeof OrganisationSchema>;

const COMPANY_NAME = 'FORETAGSNAMN';
/** The block's source knows no such organisation; any other fault is one of the moment. */
const UNKNOWN = 'ORGANISATION_FINNS_EJ';
/** Proceedings that end a company, the more serious first; others, such as mergers, leave it active. */
const ENDINGS: readonly (readonly [code: string, status: CompanyStatus])[] = [
  ['KK', 'bankrupt'],
  ['LI', 'winding-up'],
];

/** Where Bolagsverket is asked, and how the right to do so is had. */
export interface BolagsverketOptions {
  /** Its API, such as `https://gw.api.bolagsverket.se/vardefulla-datamangder/v1`. */
  readonly address: string;
  /** Where access tokens are given, such as `https://portal.api.bolagsverket.se/oauth2/token`. */
  readonly tokenAddress: string;
  readonly credentials: () => Promise<Credentials>;
}

/** Sweden's Bolagsverket, by its API for high-value datasets (värdefulla datamängder). */
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
      guard(async (send) => {
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
        // Its number is a valid one, so that it can only be one that is not there.
        if (answer.status === 400 || answer.status === 404) return undefined;
        if (answer.status === 401) tokens.forget();
        return toCompany(expectBody(AnswerSchema, answer, NAME).organisationer);
      }),
  };
}

/** One number may have several rows, such as one for each company name a firm has had. */
function toCompany(rows: readonly Organisation[]): RegisteredCompany | undefined {
  const known = rows.filter(({ organisationsnamn }) => organisationsnamn?.fel?.typ !== UNKNOWN);
  const row = known.find((each) => !deregistrationOf(each)) ?? known[0];
  if (!row) return undefined;
  const names = row.organisationsnamn?.organisationsnamnLista ?? [];
  const latest = names.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1))[0];
  if (!latest) throw new RegisterError(`${NAME} returns no name`);
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

/** Undefined where what decides it cannot be told at the moment. */
function statusOf(row: Organisation): CompanyStatus | undefined {
  const proceedings = row.pagaendeAvvecklingsEllerOmstruktureringsforfarande;
  if (deregistrationOf(row)) return 'deregistered';
  if (isFaulty(row.avregistreradOrganisation) || isFaulty(proceedings)) return undefined;
  const codes = (proceedings?.pagaendeAvvecklingsEllerOmstruktureringsforfarandeLista ?? []).map(
    ({ kod }) => kod,
  );
  return ENDINGS.find(([code]) => codes.includes(code))?.[1] ?? 'active';
}

/** Whether a block is empty because its source could not be asked. */
function isFaulty(block: { fel?: { typ: string } | null | undefined } | null | undefined): boolean {
  return !!block?.fel && block.fel.typ !== UNKNOWN;
}

/** The company's own name comes before others, and a later one before an earlier. */
function rank({
  organisationsnamntyp,
  registreringsdatum,
}: NonNullable<Organisation['organisationsnamn']>['organisationsnamnLista'][number]): string {
  return `${organisationsnamntyp?.kod === COMPANY_NAME ? 1 : 0}${registreringsdatum}`;
}

function deregistrationOf({ avregistreradOrganisation }: Organisation): string | undefined {
  return avregistreradOrganisation?.avregistreringsdatum || undefined;
}

/** Bolagsverket writes a country's name in Swedish, and none for Sweden. */
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
