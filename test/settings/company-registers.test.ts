import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { registerUrls } from '../../infra/local/registers.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { companyKey, expiringIn, partitionKey } from '../../shared/storage/table.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { every, type Fault, type Faults, first, useFaultProxy } from '../support/fault-proxy.ts';
import { logged, quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { withoutTimeouts } from '../support/time-outs.ts';

useApi();

const DAY_MS = 24 * 60 * 60 * 1_000;
/** For each register: known numbers, an unknown one, and the pattern of its requests. */
const REGISTERS = [
  {
    source: 'bolagsverket',
    known: '559987-6546',
    company: 'Ljungby Påhittade Skruv AB',
    others: ['969987-6547', '559987-6553'],
    unknown: '202100-5489',
    requests: /organisationer/,
  },
  {
    source: 'brreg',
    known: '999990010',
    company: 'OPPDIKTET FISK AS',
    others: ['999990029', '999990037'],
    unknown: '999990053',
    requests: /enheter/,
  },
  {
    source: 'prh',
    known: '9999001-5',
    company: 'Keksitty Paja Oy',
    others: ['9999003-1', '9999002-3'],
    unknown: '9999005-8',
    requests: /companies/,
  },
] as const;
const [SWEDISH, NORWEGIAN, FINNISH] = REGISTERS;

describe.runIf(isLocal)('Public registers', () => {
  const registers = useFaultProxy(
    () => localStack().registersEndpoint,
    (endpoint) => {
      const addresses = registerUrls(endpoint);
      // The function reads these variables on its first call.
      for (const [name, address] of Object.entries(addresses)) {
        process.env[ENVIRONMENT[name as keyof typeof addresses]] = address;
      }
      process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = endpoint;
    },
  );
  let requests: string[];
  /** Registers of which a request has failed in the test. */
  let failing: Set<(typeof REGISTERS)[number]>;
  let merchant: Client;

  beforeAll(() => {
    quiet();
    vi.useFakeTimers({ toFake: ['Date'] });
    withoutTimeouts();
  });
  afterAll(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  beforeEach(async () => {
    requests = [];
    failing = new Set();
    behave(() => undefined);
    merchant = await newMerchant();
  });
  // The circuit breaker of a failing register opens for 30 seconds; one successful call closes it.
  afterEach(async () => {
    if (failing.size === 0) return;
    behave(() => undefined);
    later(31_000);
    // A new merchant has no cached results.
    merchant = await newMerchant();
    for (const { unknown } of failing) await lookUp(unknown);
  });

  function behave(faults: Faults): void {
    registers.inject('', (passing) => {
      requests.push(passing.operation);
      const fault = faults(passing);
      // Requests for the secret and the token are Bolagsverket's.
      const register = REGISTERS.find((each) => each.requests.test(passing.operation)) ?? SWEDISH;
      if (fault) failing.add(register);
      return fault;
    });
  }
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
  const lookUp = (number: string, query = '', client = merchant) =>
    client.call('GET', `/customers/searchByOrgNumber/${encodeURIComponent(number)}${query}`);
  const countRequests = (match: RegExp) => requests.filter((request) => match.test(request)).length;

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
      'the later of two Swedish rows, by its latest name,',
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
      'a Swedish company without an available address',
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
      'a bankrupt Norwegian company by its business address',
      '999990029',
      { company: 'KONKURS DRØM AS', street: 'Havnegata 1, 2. etasje', city: 'BRØNNØYSUND' },
      { source: 'brreg', status: 'bankrupt' },
    ],
    [
      'a deleted Norwegian company',
      '999990037',
      { company: 'SLETTET FANTASI AS', street: '', zip: '' },
      { source: 'brreg', status: 'deregistered', deregistered: '2018-06-01' },
    ],
    [
      'a Norwegian company with a foreign address',
      '999990045',
      { street: 'c/o Fantasi Ltd, 1 Nowhere Street', city: 'LONDON', country: 'GB' },
      { source: 'brreg', status: 'winding-up' },
    ],
    [
      'a Finnish company by its current name and PO box',
      '9999001-5',
      {
        company: 'Keksitty Paja Oy',
        street: 'PL 45',
        zip: '00101',
        city: 'HELSINKI',
        country: 'FI',
      },
      { source: 'prh', status: 'active' },
    ],
    [
      'a Finnish company in liquidation that was reorganised before',
      '9999003-1',
      { company: 'Pulassa Oleva Oy', street: '', zip: '', city: '', country: 'FI' },
      { source: 'prh', status: 'winding-up' },
    ],
    [
      'a Finnish company that has ceased',
      '9999002-3',
      { company: 'Lopetettu Haave Oy', street: 'Tyhjäkatu 3 4' },
      { source: 'prh', status: 'deregistered', deregistered: '2020-12-31' },
    ],
  ])('searchByOrgNumber returns %s from its public register', async (_, number, body, headers) => {
    const answer = await lookUp(number);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ firstname: '', lastname: '', phone: '', ...body });
    const registerHeaders = ['source', 'status', 'deregistered', 'partial'].flatMap((name) => {
      const value = answer.headers.get(`register-${name}`);
      return value === null ? [] : [[name, value]];
    });
    expect(Object.fromEntries(registerHeaders)).toEqual(headers);
    expect(Date.parse(answer.headers.get('register-retrieved') ?? '')).toBeCloseTo(Date.now(), -4);
  });

  test('No public register is called if a customer has the number', async () => {
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
  ])('No public register is called for %s', async (_, number) => {
    expectProblem(await lookUp(number), 404);
    expect(requests).toEqual([]);
  });

  describe('Sole traders', () => {
    const SOLE_TRADER =
      'In the public register this is the number of a sole trader. Sole traders are persons, ' +
      'and are not returned.';
    const patched = (path: RegExp, changes: object): Faults =>
      every(
        {
          rewrite: (body) => {
            const answer = JSON.parse(body);
            const [list] = [answer.organisationer, answer.companies, [answer]].filter(Boolean);
            for (const entry of list) Object.assign(entry, changes);
            return JSON.stringify(answer);
          },
        },
        path,
      );

    test.each([
      ['Norway', '999990061', NORWEGIAN.requests],
      ['Finland', '9999006-6', FINNISH.requests],
    ])(
      'A sole trader in %s is 404, which says why and is cached without a name',
      async (...[, number, match]) => {
        for (let lookUps = 0; lookUps < 2; lookUps += 1) {
          const answer = await lookUp(number);
          expectProblem(answer, 404, [], '/problems/number-not-found');
          expect(answer.body.detail).toBe(SOLE_TRADER);
          expect(JSON.stringify([answer.body, ...answer.headers])).not.toMatch(/Frida|Freja/i);
        }
        expect(countRequests(match)).toBe(1);
        expect(JSON.stringify(await itemsOf(merchant))).not.toMatch(/Frida|Freja/i);
      },
    );

    test.each<[string, (typeof REGISTERS)[number], object]>([
      ['organisasjonsform ENK', NORWEGIAN, { organisasjonsform: { kode: 'ENK' } }],
      ['organisasjonsform PERS', NORWEGIAN, { organisasjonsform: { kode: 'PERS' } }],
      ['companyForms 26', FINNISH, { companyForms: [{ type: '26' }] }],
      ['companyForms 26 as a number', FINNISH, { companyForms: [{ type: 26 }] }],
      [
        'companyForms 26 after another',
        FINNISH,
        { companyForms: [{ type: '16', endDate: '2020-01-01' }, { type: '26' }] },
      ],
      [
        'companyForms 26 that has ended',
        FINNISH,
        { companyForms: [{ type: '26', endDate: '2020-01-01' }], endDate: '2020-01-01' },
      ],
      ['organisationsform E', SWEDISH, { organisationsform: { kod: 'E' } }],
      ['juridiskForm 10', SWEDISH, { juridiskForm: { kod: '10' } }],
    ])('A sole trader is recognised by %s', async (_, register, changes) => {
      behave(patched(register.requests, changes));
      const answer = await lookUp(register.known);
      expectProblem(answer, 404, [], '/problems/number-not-found');
      expect(answer.body.detail).toBe(SOLE_TRADER);
    });

    test('A company that was a sole trader before is returned', async () => {
      const companyForms = [{ type: '26', endDate: '2020-01-01' }, { type: '16' }];
      behave(patched(FINNISH.requests, { companyForms }));
      expect((await lookUp(FINNISH.known)).body.company).toBe(FINNISH.company);
    });

    test('A sole trader is found as an own customer', async () => {
      await create(merchant, { name: 'Frida Frisør', companyno: '999990061' });
      await eventually(async () => {
        const { body } = await lookUp('999990061');
        expect(body.company).toBe('Frida Frisør');
      });
    });
  });

  test.each(REGISTERS)(
    'searchByOrgNumber returns 404 if $source does not know the number',
    async ({ unknown, requests: match }) => {
      expectProblem(await lookUp(unknown), 404);
      expect(countRequests(match)).toBe(1);
    },
  );

  test('searchByOrgNumber returns 404 for a Norwegian company that was removed from the register', async () => {
    behave(every({ status: 410, body: '{"status":410}' }, NORWEGIAN.requests));
    expectProblem(await lookUp(NORWEGIAN.known), 404);
  });

  test.each([SWEDISH, FINNISH])(
    'searchByOrgNumber returns 404 if $source responds with 404',
    async ({ known, requests: match }) => {
      behave(every({ status: 404, body: '{"status":404}' }, match));
      expectProblem(await lookUp(known), 404);
    },
  );

  describe('Partial responses of Bolagsverket', () => {
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
      'Without %s of Bolagsverket, searchByOrgNumber returns no status and caches nothing',
      async (block) => {
        behave(first(1, withFault(block, 'TIMEOUT'), SWEDISH.requests));
        const { status, headers } = await lookUp(SWEDISH.known);
        expect(status).toBe(200);
        expect(headers.get('register-status')).toBeNull();
        expect(headers.get('register-partial')).toBe('true');
        expect((await lookUp(SWEDISH.known)).headers.get('register-status')).toBe('active');
        expect(countRequests(SWEDISH.requests)).toBe(2);
      },
    );

    test('searchByOrgNumber returns 503 if Bolagsverket cannot return names, and keeps calling it', async () => {
      behave(every(withFault('organisationsnamn', 'OTILLGANGLIG_UPPGIFTSKALLA'), SWEDISH.requests));
      for (const number of [SWEDISH.known, ...SWEDISH.others, SWEDISH.known]) {
        const answer = await lookUp(number);
        expectProblem(answer, 503);
        expect(answer.headers.get('retry-after')).toBe('5');
      }
      behave(() => undefined);
      expect((await lookUp(SWEDISH.known)).body.company).toBe(SWEDISH.company);
    });

    test('A company that the address source of Bolagsverket does not know is not partial', async () => {
      behave(every(withFault('postadressOrganisation', 'ORGANISATION_FINNS_EJ'), SWEDISH.requests));
      const { body, headers } = await lookUp(SWEDISH.known);
      expect(body).toMatchObject({ company: SWEDISH.company, street: '' });
      expect(headers.get('register-partial')).toBeNull();
    });
  });

  describe('The parameter country', () => {
    test.each(REGISTERS)(
      'The parameter country may name the country of $source',
      async ({ known, company, source }) => {
        const country = { bolagsverket: 'SE', brreg: 'NO', prh: 'FI' }[source];
        expect((await lookUp(known, `?country=${country}`)).body.company).toBe(company);
      },
    );

    test.each([
      ['another than that of the number', '999990010', '?country=SE', 'country'],
      ['not supported', '999990010', '?country=DK', 'country'],
      ['given twice', '999990010', '?country=NO&country=NO', 'country'],
    ])('searchByOrgNumber returns 400 if country is %s', async (_, number, query, parameter) => {
      expectProblem(await lookUp(number, query), 400, [{ parameter }]);
      expect(requests).toEqual([]);
    });

    test.each(['999990011', '99999001', '9999001-6', '99990015', '9999004-1'])(
      'searchByOrgNumber returns 400 for %s, which is valid in no country',
      async (number) => {
        expectProblem(await lookUp(number), 400, [{ parameter: 'orgNum' }]);
        expect(requests).toEqual([]);
      },
    );
  });

  describe('Cache', () => {
    test.each(REGISTERS)('A company of $source is cached for 30 days', async (register) => {
      const before = await lookUp(register.known);
      later(29 * DAY_MS);
      merchant = await sameMerchant(merchant);
      const again = await lookUp(register.known);
      expect(again.body).toEqual(before.body);
      expect(again.headers.get('register-retrieved')).toBe(
        before.headers.get('register-retrieved'),
      );
      expect(countRequests(register.requests)).toBe(1);
      later(2 * DAY_MS);
      merchant = await sameMerchant(merchant);
      const later31 = await lookUp(register.known);
      expect(countRequests(register.requests)).toBe(2);
      expect(later31.headers.get('register-retrieved')).not.toBe(
        before.headers.get('register-retrieved'),
      );
    });

    test('A company is cached for every notation of its number, with status and date', async () => {
      const before = await lookUp('559987-6553');
      const again = await lookUp('165599876553');
      expect(again.body).toEqual(before.body);
      expect(again.headers.get('register-deregistered')).toBe('2021-11-30');
      expect(countRequests(SWEDISH.requests)).toBe(1);
    });

    test('The cache of one merchant is not used for another', async () => {
      await lookUp(NORWEGIAN.known);
      const other = await newMerchant(1);
      later(5_000);
      const answer = await lookUp(NORWEGIAN.known, '', other);
      expect(Date.parse(answer.headers.get('register-retrieved') ?? '')).toBeCloseTo(
        Date.now(),
        -3,
      );
      expect(countRequests(NORWEGIAN.requests)).toBe(2);
    });

    test('A partial company is not cached', async () => {
      await lookUp('559987-6561');
      await lookUp('559987-6561');
      expect(countRequests(SWEDISH.requests)).toBe(2);
    });

    test('A cached company of a version that cached sole traders is not returned', async () => {
      const Item = {
        ...companyKey(merchantIdOf(merchant), `NO${NORWEGIAN.known}`),
        company: { name: 'FRIDA FRISØR' },
        source: 'brreg',
        retrieved: new Date().toISOString(),
        ...expiringIn(86_400),
      };
      await table().send(new PutCommand({ TableName: localStack().table, Item }));
      expect((await lookUp(NORWEGIAN.known)).body.company).toBe(NORWEGIAN.company);
      expect(countRequests(NORWEGIAN.requests)).toBe(1);
    });

    test.each(REGISTERS)(
      'A number that $source does not know is cached for 10 minutes',
      async (register) => {
        for (let lookUps = 0; lookUps < 2; lookUps += 1) {
          expectProblem(await lookUp(register.unknown), 404);
        }
        later(590_000);
        expectProblem(await lookUp(register.unknown), 404);
        expect(countRequests(register.requests)).toBe(1);
        later(11_000);
        expectProblem(await lookUp(register.unknown), 404);
        expect(countRequests(register.requests)).toBe(2);
      },
    );

    test('A number without a company is cached for the merchant that looked it up only', async () => {
      expectProblem(await lookUp(NORWEGIAN.unknown), 404);
      expectProblem(await lookUp(NORWEGIAN.unknown, '', await newMerchant(1)), 404);
      expect(countRequests(NORWEGIAN.requests)).toBe(2);
    });

    test('A cached number without a company does not hide an own customer', async () => {
      expectProblem(await lookUp(NORWEGIAN.unknown), 404);
      await create(merchant, { name: 'Ny AS', companyno: NORWEGIAN.unknown });
      await eventually(async () => {
        expect((await lookUp(NORWEGIAN.unknown)).body.company).toBe('Ny AS');
      });
    });

    test('A cached company is returned while its register is down', async () => {
      await lookUp(FINNISH.known);
      behave(every('hang up'));
      expect((await lookUp(FINNISH.known)).status).toBe(200);
    });
  });

  describe('Rate of a merchant', () => {
    const MINUTE_MS = 60_000;
    /** This company is not cached, as a part of it is missing. */
    const NOT_CACHED = '559987-6561';
    /** No more at once than the SDK has sockets: its time to connect counts waiting for one. */
    const lookUpTimes = (times: number) =>
      mapConcurrently(Array(times).keys(), 16, () => lookUp(NOT_CACHED));

    // Twenty seconds into a minute.
    beforeEach(async () => {
      later(MINUTE_MS - (Date.now() % MINUTE_MS) + 20_000);
      merchant = await newMerchant();
      // The access token is not requested in each of the concurrent look-ups.
      await lookUp(NOT_CACHED);
      requests = [];
    });

    test('A merchant that looks up more than 60 numbers a minute gets 429 with Retry-After', async () => {
      await create(merchant, { name: 'Egen AB', companyno: '556703-7485' });
      await lookUp(NORWEGIAN.known);
      await lookUp(NORWEGIAN.unknown);
      const answers = await lookUpTimes(70);
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(57);
      expect(countRequests(SWEDISH.requests)).toBe(57);
      for (const answer of refused) {
        expectProblem(answer, 429);
        expect(answer.headers.get('retry-after')).toBe('40');
      }
      // What needs no register is found all the same.
      expect((await lookUp(NORWEGIAN.known)).status).toBe(200);
      expectProblem(await lookUp(NORWEGIAN.unknown), 404);
      expectProblem(await lookUp('19900118-9811'), 404);
      await eventually(async () => {
        expect((await lookUp('556703-7485')).body.company).toBe('Egen AB');
      });
      const other = await newMerchant(1);
      expect((await lookUp(NOT_CACHED, '', other)).status).toBe(200);
      later(39_000);
      const late = await lookUp(NOT_CACHED);
      expectProblem(late, 429);
      expect(late.headers.get('retry-after')).toBe('1');
      later(1_000);
      expect((await lookUp(NOT_CACHED)).status).toBe(200);
    });

    test('The count of look-ups expires, and has no number', async () => {
      await lookUpTimes(2);
      const counts = (await itemsOf(merchant)).filter(({ sk }) => sk.startsWith('LOOK_UPS#'));
      const minute = (Date.now() - 20_000) / 1_000;
      expect(counts).toEqual([
        {
          pk: partitionKey(merchantIdOf(merchant)),
          sk: `LOOK_UPS#${minute}`,
          lookUps: 3,
          expiresAt: minute + 80,
        },
      ]);
    });
  });

  const OUTAGES: [string, Fault][] = [
    ['hangs up', 'hang up'],
    ['cuts its responses', 'cut the answer'],
    ['responds with 500', { status: 500, body: 'Internal Server Error' }],
    ['responds with 503', { status: 503, body: '<html>Service Unavailable</html>' }],
  ];
  const UNUSABLE: [string, Fault][] = [
    ['responds with HTML', { status: 200, body: '<html>Maintenance</html>' }],
    ['responds with other JSON', { status: 200, body: '{"result":[]}' }],
    ['responds with null', { status: 200, body: 'null' }],
    ['responds with 400', { status: 400, body: '{"title":"Bad Request"}' }],
    ['responds with 403', { status: 403, body: '{"title":"Forbidden"}' }],
  ];
  describe.each(REGISTERS)('Failures of $source', (register) => {
    test.each([...OUTAGES, ...UNUSABLE])(
      `searchByOrgNumber retries and succeeds if ${register.source} %s once`,
      async (_, fault) => {
        behave(first(1, fault, register.requests));
        expect((await lookUp(register.known)).body.company).toBe(register.company);
        expect(countRequests(register.requests)).toBe(2);
      },
    );

    test.each(OUTAGES)(
      `searchByOrgNumber returns 503 if ${register.source} %s, and still finds own customers`,
      async (_, fault) => {
        await create(merchant, { name: 'Egen AB', companyno: '556703-7485' });
        behave(every(fault, register.requests));
        const answer = await lookUp(register.known);
        expectProblem(answer, 503);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(countRequests(register.requests)).toBe(2);
        await eventually(async () => {
          expect((await lookUp('556703-7485')).body.company).toBe('Egen AB');
        });
      },
    );

    test.each(UNUSABLE)(
      `searchByOrgNumber returns 502 for a number if ${register.source} %s, and finds other numbers`,
      async (_, fault) => {
        behave(every(fault, register.requests));
        for (const number of [register.known, ...register.others, register.known]) {
          const answer = await lookUp(number);
          expectProblem(answer, 502);
          expect(answer.headers.get('retry-after')).toBeNull();
        }
        expect(countRequests(register.requests)).toBe(8);
        const errors = logged().filter(({ level }) => level === 'error');
        expect(errors.map(({ what }) => what)).toContainEqual({
          message: 'A company register failed',
          register: register.source,
          reason: expect.stringMatching(/ (?:answers|returns) /),
        });
        behave(() => undefined);
        expect((await lookUp(register.others[0], '', await newMerchant(1))).status).toBe(200);
      },
    );

    test(`A number for which ${register.source} keeps failing does not stop look-ups of others`, async () => {
      behave(every({ status: 500, body: '' }, register.requests));
      for (let lookUps = 0; lookUps < 5; lookUps += 1) {
        expectProblem(await lookUp(register.known), 503);
      }
      expect(countRequests(register.requests)).toBe(10);
      behave(() => undefined);
      expect((await lookUp(register.others[0])).status).toBe(200);
    });

    test(`searchByOrgNumber returns 503 with the Retry-After of ${register.source} if this throttles, without a retry`, async () => {
      behave(
        every({ status: 429, body: '{}', headers: { 'retry-after': '17' } }, register.requests),
      );
      const answer = await lookUp(register.known);
      expectProblem(answer, 503);
      expect(answer.headers.get('retry-after')).toBe('17');
      expect(countRequests(register.requests)).toBe(1);
    });

    test(`${register.source} is not called for 30 seconds if it stays down, other registers are`, async () => {
      behave(every('hang up', register.requests));
      for (const number of [register.known, ...register.others]) {
        expectProblem(await lookUp(number), 503);
      }
      expect(countRequests(register.requests)).toBe(6);
      const withoutCall = await lookUp(register.known);
      expectProblem(withoutCall, 503);
      expect(withoutCall.headers.get('retry-after')).toBe('30');
      expect(countRequests(register.requests)).toBe(6);
      for (const other of REGISTERS) {
        if (other === register) continue;
        expect((await lookUp(other.known)).body.company).toBe(other.company);
      }
      behave(() => undefined);
      later(31_000);
      expect((await lookUp(register.known)).body.company).toBe(register.company);
    });
  });

  test('searchByOrgNumber returns 503 after two attempts of two seconds if a register is slow', async () => {
    vi.restoreAllMocks();
    behave(every('keep waiting', FINNISH.requests));
    const started = performance.now();
    expectProblem(await lookUp(FINNISH.known), 503);
    expect(performance.now() - started).toBeGreaterThan(3_900);
    expect(countRequests(FINNISH.requests)).toBe(2);
    withoutTimeouts();
  });

  describe('Access tokens of Bolagsverket', () => {
    const TOKENS = /oauth2\/token/;
    const SECRET = /^POST \/$/;

    test('An access token of Bolagsverket is used until it expires, and the secret is read once', async () => {
      await lookUp(SWEDISH.known);
      await lookUp('559987-6553');
      const before = countRequests(TOKENS);
      expect(before).toBeLessThanOrEqual(1);
      later(3_600_000);
      await lookUp('9699876547');
      expect(countRequests(TOKENS)).toBe(before + 1);
      expect(countRequests(SECRET)).toBeLessThanOrEqual(1);
    });

    test('An access token that Bolagsverket rejects before it expires is replaced', async () => {
      behave(first(1, { status: 401, body: '{}' }, SWEDISH.requests));
      expect((await lookUp(SWEDISH.known)).status).toBe(200);
      expect(countRequests(TOKENS)).toBe(1);
    });

    test.each<[number, string, Fault]>([
      [503, 'is down', 'hang up'],
      [502, 'rejects the client', { status: 401, body: '{"error":"invalid_client"}' }],
      [502, 'returns no token', { status: 200, body: '{}' }],
    ])(
      'searchByOrgNumber returns %i if the token server of Bolagsverket %s',
      async (status, _, fault) => {
        later(3_600_000);
        merchant = await sameMerchant(merchant);
        behave(every(fault, TOKENS));
        expectProblem(await lookUp(SWEDISH.known), status);
        expect(countRequests(SWEDISH.requests)).toBe(0);
      },
    );
  });

  test('No log contains the secrets of public registers or the numbers looked up', () => {
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

/** Returns the same merchant with a token that is valid at the current, changed time. */
function sameMerchant(merchant: Client): Promise<Client> {
  return newMerchant(0, { merchant: merchantIdOf(merchant) });
}

function merchantIdOf({ token }: Client): string {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).merchant_id;
}

/** What is in the table itself, beneath the API. */
const table = () =>
  DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint }));

async function itemsOf(merchant: Client) {
  const { Items = [] } = await table().send(
    new QueryCommand({
      TableName: localStack().table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': partitionKey(merchantIdOf(merchant)) },
    }),
  );
  return Items;
}
