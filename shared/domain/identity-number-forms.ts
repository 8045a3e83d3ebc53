import { plainText } from './fold.ts';

/** What a text says if it has the form of an identity number; it need not be a valid one. */
export interface NumberForm {
  readonly country: 'SE' | 'NO' | 'FI';
  /** Century of a Swedish person, or the prefix 16 of a Swedish company, if it is given. */
  readonly century: string;
  /** The digits that all forms of the number have. */
  readonly digits: string;
  /** `-`, `+` or nothing, as it stands in a Swedish number. */
  readonly sign: string;
}

/** Forms without spaces and in capitals. A VAT number comes first, since 01 is no part of digits. */
const FORMS = [
  ['SE', /^SE-?(\d{6})-?(\d{4})-?01$/],
  ['SE', /^(?:SE-?)?(?<century>16|18|19|20)?-?(\d{6})(?<sign>[-+]?)(\d{4})$/],
  ['NO', /^(?:NO-?)?(\d{3})-?(\d{3})-?(\d{3})(?:-?MVA)?$/],
  // Eight digits in a row could be a Danish number.
  ['FI', /^(?:FI-?)?(\d{7})-(\d)$/],
  ['FI', /^FI-?(\d{7})(\d)$/],
] as const;
const FINNISH_WITH_SPACE = /^(\d{7}) (\d)$/;

/**
 * Returns the forms of identity numbers that a text has, the likeliest first: 10 or 12 digits with
 * or without `-` or `+` of Sweden, 9 digits of Norway or such as 9999001-5 of Finland, or the VAT
 * number of one. Spaces may stand anywhere, any dash is a hyphen, and the country's code may stand
 * in front. No form of one country is a form of another.
 */
export function identityNumberForms(text: string): NumberForm[] {
  const typed = plainText(text).toUpperCase().replace(FINNISH_WITH_SPACE, '$1-$2');
  const compact = typed.replaceAll(' ', '');
  return FORMS.flatMap(([country, form]) => {
    const match = form.exec(compact);
    if (!match) return [];
    const { century = '', sign = '' } = match.groups ?? {};
    const digits = compact
      .replace(/\D/g, '')
      .slice(century.length, century.length + LENGTH[country]);
    return { country, century, digits, sign };
  });
}

const LENGTH = { SE: 10, NO: 9, FI: 8 } as const;
