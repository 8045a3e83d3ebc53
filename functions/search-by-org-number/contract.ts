import * as v from 'valibot';
import { REGISTERS } from '../../shared/company-registers/company-register.ts';
import { COMPANY_STATUSES } from '../../shared/domain/company.ts';
import { COUNTRIES, parseIdentityNumber } from '../../shared/domain/identity-number.ts';
import { MAX_LOOK_UPS_PER_MINUTE } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { header, object, ref, text } from '../../shared/http/json-schema.ts';
import {
  checked,
  oneOf,
  type ParsedRequest,
  type RequestSchemas,
  single,
} from '../../shared/http/validation.ts';
import { IDENTITY_NUMBER_INDEX } from '../../shared/storage/table.ts';

/** What all forms have in common, in a syntax that other languages' regular expressions share. */
const NUMBER_PATTERN = '^([^0-9/]*[0-9]){8,12}[^0-9/]*$';

const schemas = {
  path: { orgNum: single(identityNumber) },
  query: { country: single(() => oneOf(COUNTRIES)) },
} satisfies RequestSchemas;

export const request = { ...schemas, rules: [countryOfNumber] } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/searchByOrgNumber/{orgNum}',
    scope: 'customers:read',
    table: {
      actions: ['GetItem'],
      indexes: [IDENTITY_NUMBER_INDEX.name],
      companies: ['PutItem', 'UpdateItem'],
    },
    summary: 'Look a person or company up by organisation number',
    request,
    parameters: {
      orgNum: [
        'A Swedish personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits, a ' +
          'Norwegian organisasjonsnummer of 9 digits, a Finnish Y-tunnus such as 0112038-9, or the ' +
          'VAT number of one of these. Spaces and dashes of any kind, and the code of its country in front, ' +
          'make no difference.',
        '559987-6546',
      ],
      country: [
        "Country of the number. It may be left out: the number's form determines it. Another country is an error.",
        'SE',
      ],
    },
    responses: {
      200: {
        description:
          "Name and address: of the merchant's own customer, or else of the company in the public " +
          'register of its country, if that is enabled. Sole traders are persons, and are not ' +
          'returned from a register.',
        schema: ref('RegisterEntry'),
        headers: {
          'Register-Source': header(
            "Source of the entry: own, the merchant's own customers; or a public register.",
            true,
            { enum: ['own', ...Object.values(REGISTERS)] },
          ),
          'Register-Retrieved': header('When it was read there.', true, {
            type: 'string',
            format: 'date-time',
          }),
          'Register-Status': header('Status of the company in the public register.', false, {
            enum: [...COMPANY_STATUSES],
          }),
          'Register-Deregistered': header(
            'Day on which the company was deregistered, if known.',
            false,
          ),
          'Register-Partial': header('The register left a part out for now.', false, {
            const: 'true',
          }),
        },
      },
    },
    errors: {
      404: [
        'No customer and no company in an enabled public register has this number; detail says if ' +
          'it is the number of a sole trader. Cached for 10 minutes.',
        '/problems/number-not-found',
      ],
      429:
        `More than ${MAX_LOOK_UPS_PER_MINUTE} numbers a minute are looked up in public registers for ` +
        'the merchant, or too many requests are sent at once.',
      502:
        'The public register rejects the request, or its response has an unknown form; other ' +
        'numbers are not affected.',
    },
    schemas: {
      RegisterEntry: object({
        firstname: text({
          description:
            "A person's first name; empty for a company, such as a sole trader whose customertypecode is Company.",
        }),
        lastname: text({ description: "A person's last name; empty for a company." }),
        company: text({ description: "A company's name; empty for a person." }),
        street: text({ description: 'Street address.' }),
        zip: {
          // Of oneOf or a list of types PHP clients make an empty object; this they keep.
          if: { type: 'integer' },
          else: { type: 'string' },
          description:
            'A number if the postcode is digits without leading zeros, such as 12341 for `123 41`; ' +
            'otherwise the postcode as a string, such as `00101`.',
        },
        city: text({ description: 'Town of the postcode.' }),
        country: text({
          description:
            'ISO 3166-1 alpha-2. Of a customer: the country that countrycode names, by a code of two ' +
            'or three letters or in words, otherwise country, otherwise that of the number.',
        }),
        phone: text({
          description:
            'Digits with country code, without +: the first number of mobile, or else of telephone, ' +
            'without an extension. Empty if there is none.',
        }),
        email: text({ description: 'E-mail address; empty in a public register.' }),
      }),
    },
  });

/** Schema of an identity number; its output is the parsed number. */
function identityNumber() {
  return v.pipe(
    v.string(),
    v.transform((text) => parseIdentityNumber(text)),
    v.custom<NonNullable<ReturnType<typeof parseIdentityNumber>>>(
      (number) => number !== undefined,
      'is no valid Swedish personnummer, samordningsnummer or organisationsnummer of 10 or 12 ' +
        'digits, Norwegian organisasjonsnummer of 9 digits, Finnish Y-tunnus such as 0112038-9, or ' +
        'VAT number of one',
    ),
    checked(() => true, '', { type: 'string', pattern: NUMBER_PATTERN }),
  );
}

function countryOfNumber({
  pathParameters,
  queryStringParameters,
}: Partial<ParsedRequest<typeof schemas>>) {
  const number = pathParameters?.orgNum;
  const country = queryStringParameters?.country;
  return !number || !country || number.country === country
    ? []
    : [
        {
          parameter: 'country',
          detail: `is ${country}, but the number is one of ${number.country}`,
        },
      ];
}
