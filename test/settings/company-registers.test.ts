import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { registerUrls } from '../../infra/local/registers.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import {
  every,
  type Fault,
  type FaultProxy,
  type Faults,
  first,
  startFaultProxy,
} from '../support/fault-proxy.ts';
import { logged, quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

const DAY_MS = 24 * 60 * 60 * 1_000;
/** In each register a company that it knows, one that it does not, and how it is asked. */
const REGISTERS = [
  {
    source: 'bolagsverket',
    known: '559987-6546',
    company: 'Ljungby Påhittade Skruv AB',
    unknown: '202100-5489',
    asked: /organisationer/,
  },
  {
    source: 'brreg',
    known: '999990010',
    company: 'OPPDIKTET FISK AS',
    unknown: '999990053',
    asked: /enheter/,
  },
  {
    source: 'prh',
    known: '9999001-5',
    company: 'Keksitty Paja Oy',
    unknown: '9999005-8',
    asked: /companies/,
  },
] as const;
const [SWEDISH, NORWEGIAN, FINNISH] = REGISTERS;

describe.runIf(isLocal)('the public registers', () => {
  let registers: FaultProxy;
  let requests: string[];
  let merchant: Client;

  beforeAll(async () => {
    registers = await startFaultProxy(localStack().registersEndpoint);
    const addresses = registerUrls(registers.endpoint);
    // The function reads these on its first call.
    for (const [name, address] of Object.entries(addresses)) {
      process.env[ENVIRONMENT[name as keyof typeof addresses]] = address;
    }
    process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = registers.endpoint;
    quiet();
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await registers.close();
  });

  beforeEach(async () => {
    requests = [];
    behave(() => undefined);
    merchant = await newMerchant();
  });
  // A register that a test has made fail is left alone for 30 seconds, and then tried once.
  afterEach(async () => {
    behave(() => undefined);
    later(31_000);
    for (const { unknown } of REGISTERS) await lookUp(unknown);
  });

  function behave(faults: Faults): void {
    registers.inject('', (passing) => {
      requests.push(passing.operation);
      return faults(passing);
    });
  }
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
  const lookUp = (number: string, query = '', client = merchant) =>
    client.call('GET', `/customers/searchByOrgNumber/${encodeURIComponent(number)}${query}`);
  const asked = (match: RegExp) => requests.filter((request) => match.test(request)).length;

  test.each<[string, string, object, object]>([
    [
      'a Swedish company',
      '559987-6546',
      {
        company: 'Ljungby Påhittade Skruv AB',
        street: 'Uppdiktade vägen 1',
        zip: 34131,
        city: 'LJUNGBY',
        country: 'SE',
      },
      { source: 'bolagsverket', status: 'active' },
    ],
    [
      'the later of two rows, by its own and latest name',
      '9699876547',
      { company: 'Nya Fantasi Handelsbolag', street: 'Box 12', zip: 10465 },
      { source: 'bolagsverket', status: 'active' },
    ],
    [
      'a deregistered Swedish company',
      '16559987-6553',
      { company: 'Nedlagda Drömmar AB', city: 'UMEÅ' },
      { source: 'bolagsverket', status: 'deregistered', deregistered: '2021-11-30' },
    ],
    [
      'a bankrupt Swedish company',
      '769987-6541',
      { company: 'Bristande Likviditet Ek. för.' },
      { source: 'bolagsverket', status: 'bankrupt' },
    ],
    [
      'a Swedish company whose address cannot be told',
      '559987-6561',
      { company: 'Adresslösa Hem AB', street: '', zip: '', city: '', country: 'SE' },
      { source: 'bolagsverket', status: 'active', partial: 'true' },
    ],
    [
      'a Norwegian company by its postal address',
      '999 990 010',
      { company: 'OPPDIKTET FISK AS', street: 'Postboks 7', zip: 8901, country: 'NO' },
      { source: 'brreg', status: 'active' },
    ],
    [
      'a bankrupt one by its business address',
      '999990029',
      { company: 'KONKURS DRØM AS', street: 'Havnegata 1, 2. etasje', city: 'BRØNNØYSUND' },
      { source: 'brreg', status: 'bankrupt' },
    ],
    [
      'a deleted one',
      '999990037',
      { company: 'SLETTET FANTASI AS', street: '', zip: '' },
      { source: 'brreg', status: 'deregistered', deregistered: '2018-06-01' },
    ],
    [
      'one abroad',
      '999990045',
      { street: 'c/o Fantasi Ltd, 1 Nowhere Street', city: 'LONDON', country: 'GB' },
      { source: 'brreg', status: 'winding-up' },
    ],
    [
      'a Finnish company by its name of today and its box',
      '9999001-5',
      { company: 'Keksitty Paja Oy', street: 'PL 45', zip: 101, city: 'HELSINKI', country: 'FI' },
      { source: 'prh', status: 'active' },
    ],
    [
      'a Finnish company that is wound up, and was reorganised before',
      '9999003-1',
      { company: 'Pulassa Oleva Oy', street: '', zip: '', city: '', country: 'FI' },
      { source: 'prh', status: 'winding-up' },
    ],
    [
      'a Finnish company that has ended',
      '9999002-3',
      { company: 'Lopetettu Haave Oy', street: 'Tyhjäkatu 3 4' },
      { source: 'prh', status: 'deregistered', deregistered: '2020-12-31' },
    ],
  ])('tell of %s', async (_, number, body, headers) => {
    const answer = await lookUp(number);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ firstname: '', lastname: '', phone: '', ...body });
    const told = ['source', 'status', 'deregistered', 'partial'].flatMap((name) => {
      const value = answer.headers.get(`register-${name}`);
      return value === null ? [] : [[name, value]];
    });
    expect(Object.fromEntries(told)).toEqual(headers);
    expect(Date.parse(answer.headers.get('register-retrieved') ?? '')).toBeCloseTo(Date.now(), -4);
  });

  test('are not asked where a customer has the number', async () => {
    for (const { known, source } of REGISTERS) {
      await create(merchant, { name: `Kund ${source}`, companyno: known, countrycode: '' });
    }
    for (const { known, source } of REGISTERS) {
      await eventually(async () => {
        requests = [];
        const answer = await lookUp(known);
        expect(answer.body.company).toBe(`Kund ${source}`);
        expect(answer.body.country).toBe({ bolagsverket: 'SE', brreg: 'NO', prh: 'FI' }[source]);
        expect(answer.headers.get('register-source')).toBe('own');
        expect(answer.headers.get('register-status')).toBeNull();
        expect(requests).toEqual([]);
      });
    }
  });

  test.each([
    ['a personnummer, which is a sole trader’s number as well', '19900118-9811'],
    ['a samordningsnummer', '701063-2391'],
  ])('are never asked for %s', async (_, number) => {
    expectProblem(await lookUp(number), 404);
    expect(requests).toEqual([]);
  });

  test.each(REGISTERS)('$source not knowing a number is 404', async ({ unknown, asked: match }) => {
    expectProblem(await lookUp(unknown), 404);
    expect(asked(match)).toBe(1);
  });

  test('a Norwegian company that had to be taken out of the register is 404', async () => {
    behave(every({ status: 410, body: '{"status":410}' }, NORWEGIAN.asked));
    expectProblem(await lookUp(NORWEGIAN.known), 404);
  });

  test.each([400, 404])('a number that Bolagsverket answers with %i is 404', async (status) => {
    behave(every({ status, body: JSON.stringify({ status }) }, SWEDISH.asked));
    expectProblem(await lookUp(SWEDISH.known), 404);
  });

  describe('where one of Bolagsverket’s sources cannot be asked', () => {
    const withFault = (block: string, typ: string): Fault => ({
      rewrite: (body) => {
        const { organisationer } = JSON.parse(body);
        return JSON.stringify({
          organisationer: organisationer.map((row: object) => ({
            ...row,
            [block]: { fel: { typ } },
          })),
        });
      },
    });

    test.each(['avregistreradOrganisation', 'pagaendeAvvecklingsEllerOmstruktureringsforfarande'])(
      '%s, no status is told, and nothing remembered',
      async (block) => {
        behave(first(1, withFault(block, 'TIMEOUT'), SWEDISH.asked));
        const { status, headers } = await lookUp(SWEDISH.known);
        expect(status).toBe(200);
        expect(headers.get('register-status')).toBeNull();
        expect(headers.get('register-partial')).toBe('true');
        expect((await lookUp(SWEDISH.known)).headers.get('register-status')).toBe('active');
        expect(asked(SWEDISH.asked)).toBe(2);
      },
    );

    test('the name, it is 503', async () => {
      behave(every(withFault('organisationsnamn', 'OTILLGANGLIG_UPPGIFTSKALLA'), SWEDISH.asked));
      expectProblem(await lookUp(SWEDISH.known), 503);
    });

    test('the address, being of those whom only another source knows, it is all the same whole', async () => {
      behave(every(withFault('postadressOrganisation', 'ORGANISATION_FINNS_EJ'), SWEDISH.asked));
      const { body, headers } = await lookUp(SWEDISH.known);
      expect(body).toMatchObject({ company: SWEDISH.company, street: '' });
      expect(headers.get('register-partial')).toBeNull();
    });
  });

  describe('the country', () => {
    test.each(REGISTERS)('of $source may be said', async ({ known, company, source }) => {
      const country = { bolagsverket: 'SE', brreg: 'NO', prh: 'FI' }[source];
      expect((await lookUp(known, `?country=${country}`)).body.company).toBe(company);
    });

    test.each([
      ['another than the number has', '999990010', '?country=SE', 'country'],
      ['one that is not known', '999990010', '?country=DK', 'country'],
      ['two', '999990010', '?country=NO&country=NO', 'country'],
    ])('is 400 where it is %s', async (_, number, query, parameter) => {
      expectProblem(await lookUp(number, query), 400, [{ parameter }]);
      expect(requests).toEqual([]);
    });

    test.each(['999990011', '99999001', '9999001-6', '99990015', '9999004-1'])(
      'is of none: %s is 400',
      async (number) => {
        expectProblem(await lookUp(number), 400, [{ parameter: 'orgNum' }]);
        expect(requests).toEqual([]);
      },
    );
  });

  describe('what was found', () => {
    test.each(REGISTERS)('in $source is remembered for 30 days', async (register) => {
      const before = await lookUp(register.known);
      later(29 * DAY_MS);
      merchant = await sameMerchant(merchant);
      const again = await lookUp(register.known);
      expect(again.body).toEqual(before.body);
      expect(again.headers.get('register-retrieved')).toBe(
        before.headers.get('register-retrieved'),
      );
      expect(asked(register.asked)).toBe(1);
      later(2 * DAY_MS);
      merchant = await sameMerchant(merchant);
      const later31 = await lookUp(register.known);
      expect(asked(register.asked)).toBe(2);
      expect(later31.headers.get('register-retrieved')).not.toBe(
        before.headers.get('register-retrieved'),
      );
    });

    test('is remembered in every way of writing the number, and with status and date', async () => {
      const before = await lookUp('559987-6553');
      const again = await lookUp('165599876553');
      expect(again.body).toEqual(before.body);
      expect(again.headers.get('register-deregistered')).toBe('2021-11-30');
      expect(asked(SWEDISH.asked)).toBe(1);
    });

    test('by one merchant is not known to be so by another', async () => {
      await lookUp(NORWEGIAN.known);
      const other = await newMerchant(1);
      later(5_000);
      const answer = await lookUp(NORWEGIAN.known, '', other);
      expect(Date.parse(answer.headers.get('register-retrieved') ?? '')).toBeCloseTo(
        Date.now(),
        -3,
      );
      expect(asked(NORWEGIAN.asked)).toBe(2);
    });

    test('in part is asked for again', async () => {
      await lookUp('559987-6561');
      await lookUp('559987-6561');
      expect(asked(SWEDISH.asked)).toBe(2);
    });

    test('answers also while the register is down', async () => {
      await lookUp(FINNISH.known);
      behave(every('hang up'));
      expect((await lookUp(FINNISH.known)).status).toBe(200);
    });
  });

  const FAULTS: [string, Fault][] = [
    ['hangs up', 'hang up'],
    ['breaks off its answers', 'cut the answer'],
    ['fails', { status: 500, body: 'Internal Server Error' }],
    ['is closed', { status: 503, body: '<html>Service Unavailable</html>' }],
    ['answers no JSON', { status: 200, body: '<html>Maintenance</html>' }],
    ['answers in another shape', { status: 200, body: '{"result":[]}' }],
    ['answers with null', { status: 200, body: 'null' }],
    ['refuses', { status: 403, body: '{"title":"Forbidden"}' }],
  ];
  describe.each(REGISTERS)('$source, when it', (register) => {
    test.each(FAULTS)('%s once: the caller gets the answer', async (_, fault) => {
      behave(first(1, fault, register.asked));
      expect((await lookUp(register.known)).body.company).toBe(register.company);
      expect(asked(register.asked)).toBe(2);
    });

    test.each(FAULTS)('%s: 503, and own customers are found', async (_, fault) => {
      await create(merchant, { name: 'Egen AB', companyno: '556703-7485' });
      behave(every(fault, register.asked));
      const answer = await lookUp(register.known);
      expectProblem(answer, 503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(asked(register.asked)).toBe(2);
      await eventually(async () => {
        expect((await lookUp('556703-7485')).body.company).toBe('Egen AB');
      });
    });

    test('has had too many calls: 503 until it says, and it is not asked again', async () => {
      behave(every({ status: 429, body: '{}', headers: { 'retry-after': '17' } }, register.asked));
      const answer = await lookUp(register.known);
      expectProblem(answer, 503);
      expect(answer.headers.get('retry-after')).toBe('17');
      expect(asked(register.asked)).toBe(1);
    });

    test('stays down: it is left alone for a while, others are not', async () => {
      behave(every('hang up', register.asked));
      for (let lookUps = 0; lookUps < 3; lookUps += 1) {
        expectProblem(await lookUp(register.known), 503);
      }
      expect(asked(register.asked)).toBe(6);
      const spared = await lookUp(register.known);
      expectProblem(spared, 503);
      expect(spared.headers.get('retry-after')).toBe('30');
      expect(asked(register.asked)).toBe(6);
      for (const other of REGISTERS) {
        if (other === register) continue;
        expect((await lookUp(other.known)).body.company).toBe(other.company);
      }
      behave(() => undefined);
      later(31_000);
      expect((await lookUp(register.known)).body.company).toBe(register.company);
    });
  });

  test('one that is slow is 503 after two tries of two seconds', async () => {
    behave(every('keep waiting', FINNISH.asked));
    const started = performance.now();
    expectProblem(await lookUp(FINNISH.known), 503);
    expect(performance.now() - started).toBeGreaterThan(3_900);
    expect(asked(FINNISH.asked)).toBe(2);
  });

  describe('access to Bolagsverket', () => {
    const TOKENS = /oauth2\/token/;
    const SECRET = /^POST \/$/;

    test('is by one token until that expires, and the secret is read once', async () => {
      await lookUp(SWEDISH.known);
      await lookUp('559987-6553');
      const before = asked(TOKENS);
      expect(before).toBeLessThanOrEqual(1);
      later(3_600_000);
      await lookUp('9699876547');
      expect(asked(TOKENS)).toBe(before + 1);
      expect(asked(SECRET)).toBeLessThanOrEqual(1);
    });

    test('that is refused before its time is had anew', async () => {
      behave(first(1, { status: 401, body: '{}' }, SWEDISH.asked));
      expect((await lookUp(SWEDISH.known)).status).toBe(200);
      expect(asked(TOKENS)).toBe(1);
    });

    test.each<[string, Fault]>([
      ['is down', 'hang up'],
      ['knows no such client', { status: 401, body: '{"error":"invalid_client"}' }],
      ['gives none', { status: 200, body: '{}' }],
    ])('is not to be had where its server %s: 503', async (_, fault) => {
      later(3_600_000);
      merchant = await sameMerchant(merchant);
      behave(every(fault, TOKENS));
      expectProblem(await lookUp(SWEDISH.known), 503);
      expect(asked(SWEDISH.asked)).toBe(0);
    });
  });

  test('and what they are asked with are in no log', () => {
    const text = JSON.stringify(logged());
    for (const secret of [
      'of the local stack only',
      'Basic ',
      'Bearer ',
      '5599876546',
      '999990010',
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain('A company register failed');
  });
});

/** The same merchant with a token of now. */
async function sameMerchant(merchant: Client): Promise<Client> {
  const [, payload = ''] = merchant.token.split('.');
  const { merchant_id } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return newMerchant(0, { merchant: merchant_id });
}
