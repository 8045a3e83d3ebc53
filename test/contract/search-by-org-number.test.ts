import { describe, expect, test } from 'vitest';
import { create, eventually, newMerchant, useApi } from '../support/api.ts';

useApi();

const PRIVATE = '19900118-9811';

describe('searchByOrgNumber', () => {
  test('searchByOrgNumber finds a company and a person by any notation of their number', async () => {
    const merchant = await newMerchant();
    await create(merchant, {
      name: 'Test AB',
      companyno: '5567037485',
      address: 'Gatan 1',
      postcode: '123 41',
      postoffice: 'Staden',
      countrycode: 'se',
      telephone: '070-123 46 78',
      email: 'a@example.com',
    });
    await create(merchant, { name: 'Kalle Svensson', companyno: PRIVATE });
    await eventually(async () => {
      for (const number of ['556703-7485', '5567037485', '16556703-7485', '165567037485']) {
        const { status, body } = await merchant.call(
          'GET',
          `/customers/searchByOrgNumber/${number}`,
        );
        expect(status).toBe(200);
        expect(body).toEqual({
          firstname: '',
          lastname: '',
          company: 'Test AB',
          street: 'Gatan 1',
          zip: 12341,
          city: 'Staden',
          country: 'SE',
          phone: '46701234678',
          email: 'a@example.com',
        });
      }
      for (const number of ['199001189811', '19900118-9811', '9001189811', '900118-9811']) {
        const { status, body } = await merchant.call(
          'GET',
          `/customers/searchByOrgNumber/${number}`,
        );
        expect(status).toBe(200);
        expect(body).toMatchObject({ firstname: 'Kalle', lastname: 'Svensson', company: '' });
      }
    });
  });

  test.each([
    ['559987 6546', '5599876546'],
    ['559987\u00a06546', '559987\u20096546'],
    ['559987\u20136546', '559987\u20116546'],
    ['SE559987654601', '559987-6546'],
    ['5599876546', 'SE 559987-6546 01'],
    ['16559987\u22126546', 'SE559987-6546'],
    ['NO 999 990 010 MVA', '999990010'],
    ['999 990 010', 'NO999990010MVA'],
    ['FI99990015', '9999001-5'],
    ['9999001\u20115', 'FI 9999001-5'],
  ])('finds the own customer stored with %j, and no register, by %j', async (stored, asked) => {
    const merchant = await newMerchant();
    const texts = { name: 'Min Egen Kund AB', companyno: stored, email: 'faktura@example.com' };
    const { companyno } = await create(merchant, texts);
    expect(companyno).toBe(stored);
    await eventually(async () => {
      const path = `/customers/searchByOrgNumber/${encodeURIComponent(asked)}`;
      const { status, headers, body } = await merchant.call('GET', path);
      expect(status).toBe(200);
      expect(headers.get('register-source')).toBe('own');
      expect(body).toMatchObject({ company: 'Min Egen Kund AB', email: 'faktura@example.com' });
      const counts = await Promise.all(
        ['isCompany', 'isUnknown'].map((filter) =>
          merchant.call('GET', `/customers/count?filter=${filter}`),
        ),
      );
      expect(counts.map((count) => count.body.count)).toEqual([1, 0]);
    });
  });

  test('finds a sole trader by the VAT number, in which the century is left out', async () => {
    const merchant = await newMerchant();
    await create(merchant, { name: 'Kalle Svensson', companyno: PRIVATE });
    await eventually(async () => {
      const path = '/customers/searchByOrgNumber/SE900118981101';
      expect((await merchant.call('GET', path)).body).toMatchObject({ lastname: 'Svensson' });
    });
  });

  test.each([
    ['5567037486', 'has a wrong check digit'],
    ['900118-9812', 'has a wrong check digit'],
    ['17900118-9811', 'is of the 18th century'],
    ['20990118-9815', 'is of a person not born yet'],
    ['900231-1239', 'is of a day that does not exist'],
    ['556703+7485', 'has the sign of a person over 100 years old'],
    ['000101-T220', 'is an interim number'],
    ['5567037485 1', 'has too many digits'],
    ['123', 'has too few digits'],
    ['abc', 'has no digits'],
    ['%00', 'is a control character'],
  ])('searchByOrgNumber returns 400 for %s, which %s', async (number) => {
    const merchant = await newMerchant();
    const { status, body } = await merchant.call('GET', `/customers/searchByOrgNumber/${number}`);
    expect(status).toBe(400);
    expect(body.errors[0].parameter).toBe('orgNum');
  });

  test.each([
    [
      { countrycode: 'SE', mobile: '070-123 46 78' },
      { country: 'SE', phone: '46701234678' },
    ],
    [
      { countrycode: 'se', telephone: '+46 (0)8-465 004 02' },
      { country: 'SE', phone: '46846500402' },
    ],
    [
      { countrycode: 'NO', telephone: '22 12 34 56' },
      { country: 'NO', phone: '4722123456' },
    ],
    [
      { countrycode: 'DK', telephone: '0045 33 12 34 56' },
      { country: 'DK', phone: '4533123456' },
    ],
    [
      { countrycode: 'FI', telephone: '09 123 4567' },
      { country: 'FI', phone: '35891234567' },
    ],
    [
      { countrycode: 'Sweden', mobile: '0701234678' },
      { country: 'SE', phone: '46701234678' },
    ],
    [{ postcode: '123 41' }, { zip: 12_341, country: 'SE', phone: '' }],
    [{ postcode: '123\u00a041' }, { zip: 12_341 }],
    [{ postcode: '0150' }, { zip: '0150' }],
    [{ postcode: '01234' }, { zip: '01234' }],
    [{ postcode: '012 34' }, { zip: '012 34' }],
    [{ postcode: '00000' }, { zip: '00000' }],
    [{ postcode: '0' }, { zip: 0 }],
    [{ postcode: '9007199254740993' }, { zip: '9007199254740993' }],
    [{ postcode: 'SE-123 41' }, { zip: 'SE-123 41' }],
    [{ mobile: '070-123 45 67, 08-123 456' }, { phone: '46701234567' }],
    [{ mobile: '070-123 45 67 / 08-123 456' }, { phone: '46701234567' }],
    [{ telephone: '08-123 456 ext. 12' }, { phone: '468123456' }],
    [{ mobile: 'saknas', telephone: '08-123 456' }, { phone: '468123456' }],
    [
      { countrycode: 'Norge', telephone: '22 12 34 56' },
      { country: 'NO', phone: '4722123456' },
    ],
    [
      { countrycode: 'fin', telephone: '09 123 4567' },
      { country: 'FI', phone: '35891234567' },
    ],
    [{ countrycode: ' dnk ' }, { country: 'DK' }],
    [{ country: 'Österrike' }, { country: 'AT' }],
    [{ countrycode: 'DE', country: 'Sverige' }, { country: 'DE' }],
    [{ countrycode: 'Test', country: 'Test-country' }, { country: 'SE' }],
    [{}, { zip: '', street: '', city: '', email: '' }],
  ])('searchByOrgNumber of a customer with %o returns %o', async (fields, expected) => {
    const merchant = await newMerchant();
    await create(merchant, { companyno: '5567037485', ...fields });
    await eventually(async () => {
      const { body } = await merchant.call('GET', '/customers/searchByOrgNumber/556703-7485');
      expect(body).toMatchObject(expected);
    });
  });

  test.each([
    ['Company', PRIVATE, { firstname: '', lastname: '', company: 'Kalle Svensson' }],
    ['Företag', 'SE900118981101', { firstname: '', lastname: '', company: 'Kalle Svensson' }],
    ['Enskild firma', PRIVATE, { firstname: '', lastname: '', company: 'Kalle Svensson' }],
    ['', PRIVATE, { firstname: 'Kalle', lastname: 'Svensson', company: '' }],
    ['Privat', '556703-7485', { firstname: 'Kalle', lastname: 'Svensson', company: '' }],
  ])(
    'A customer of type %j with the number %s is looked up as the kind by which filters find it',
    async (customertypecode, companyno, names) => {
      const merchant = await newMerchant();
      await create(merchant, { name: 'Kalle Svensson', companyno, customertypecode });
      const isCompany = names.company !== '';
      await eventually(async () => {
        const { body } = await merchant.call('GET', `/customers/searchByOrgNumber/${companyno}`);
        expect(body).toMatchObject(names);
        const filter = isCompany ? 'isCompany' : 'isPrivate';
        const counted = await merchant.call('GET', `/customers/count?filter=${filter}`);
        expect(counted.body).toEqual({ count: 1 });
      });
    },
  );

  test('searchByOrgNumber returns the newest of several customers with the number', async () => {
    const merchant = await newMerchant();
    for (const name of ['A', 'B', 'C']) await create(merchant, { name, companyno: '5567037485' });
    await eventually(async () => {
      const { body } = await merchant.call('GET', '/customers/searchByOrgNumber/556703-7485');
      expect(body.company).toBe('C');
    });
  });

  test('searchByOrgNumber returns 404 for a number that no customer has', async () => {
    const merchant = await newMerchant();
    expect(await merchant.call('GET', '/customers/searchByOrgNumber/5567037485')).toMatchObject({
      status: 404,
    });
  });
});
