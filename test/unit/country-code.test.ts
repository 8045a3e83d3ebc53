import { describe, expect, test } from 'vitest';
import { countryCode } from '../../shared/domain/country-code.ts';

describe('a country', () => {
  test.each([
    ['se', 'SE'],
    [' SE ', 'SE'],
    ['SWE', 'SE'],
    ['Sverige', 'SE'],
    ['sweden', 'SE'],
    ['Ruotsi', 'SE'],
    ['NOR', 'NO'],
    ['Norge', 'NO'],
    ['Norway', 'NO'],
    ['DNK', 'DK'],
    ['Tanska', 'DK'],
    ['Suomi', 'FI'],
    ['Finland', 'FI'],
    ['ÅLAND', 'AX'],
    ['Deutschland', 'DE'],
    ['DEU', 'DE'],
    ['Österrike', 'AT'],
    ['Österreich', 'AT'],
    ['U.S.A.', 'US'],
    ['United States', 'US'],
    ['UK', 'GB'],
    ['Storbritannien', 'GB'],
    ['England', 'GB'],
    ['Nederländerna', 'NL'],
    ['Holland', 'NL'],
    ['Cote d’Ivoire', 'CI'],
    ['Kosovo', 'XK'],
  ])('%j is %s', (text, code) => {
    expect(countryCode(text)).toBe(code);
  });

  test.each(['', ' ', '-', 'XX', 'AB', 'XXX', 'ESE', 'S', '46', 'Test-country', 'Unknown'])(
    '%j is none',
    (text) => {
      expect(countryCode(text)).toBeUndefined();
    },
  );

  test('is known by each code that ICU has a name for, but for a few that are no countries', () => {
    const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const unknown = letters
      .flatMap((first) => letters.map((second) => first + second))
      .filter((code) => names.of(code) && new Intl.Locale(`und-${code}`).region === code)
      .filter((code) => countryCode(code) !== code);
    // Reserved: islands, unions of states, and codes for tests and for no region.
    const reserved = 'AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ'.split(' ');
    expect(unknown.filter((code) => !reserved.includes(code))).toEqual([]);
  });
});
