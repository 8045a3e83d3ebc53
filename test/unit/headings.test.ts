import { describe, expect, test } from 'vitest';
import { SWEDISH_HEADINGS } from '../../shared/domain/field-headings.ts';
import { fieldOfHeading, HEADINGS_OF_FIELDS } from '../../shared/domain/field-of-heading.ts';
import { FIELDS } from '../../shared/domain/fields.ts';

describe('A heading names', () => {
  test('the field whose name in the API or Swedish heading it is', () => {
    for (const { name } of FIELDS) {
      expect(fieldOfHeading(name)).toBe(name);
      expect(fieldOfHeading(SWEDISH_HEADINGS[name])).toBe(name);
    }
  });

  test.each([
    ['Postort', 'postoffice'],
    ['ORG.NR', 'companyno'],
    ['Organisations-nr.', 'companyno'],
    ['kund nr', 'customerid'],
    [' Mobil ', 'mobile'],
    ['E-postadress', 'email'],
    ['Epost', 'email'],
    ['Postnr', 'postcode'],
    ['Reference_Order', 'reference_order'],
    ['Leveransadress\u00a02', 'deliveryaddress2'],
    ['Språk', 'language'],
  ])('a field if it is %j, whatever its case, spaces and punctuation', (heading, field) => {
    expect(fieldOfHeading(heading)).toBe(field);
  });

  test.each(['', 'Säljare', 'namnet', 'constructor', '__proto__'])(
    'no field if it is %j',
    (heading) => {
      expect(fieldOfHeading(heading)).toBeUndefined();
    },
  );

  test('one field: no heading, alias or name is that of two', () => {
    for (const [field, headings] of HEADINGS_OF_FIELDS) {
      for (const heading of headings) expect(fieldOfHeading(heading), heading).toBe(field);
    }
  });
});
