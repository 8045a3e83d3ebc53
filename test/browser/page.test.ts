import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type CellValue, readXlsx, writeXlsx } from 'hucre/xlsx';
import type { Browser, BrowserContext, Download, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { FIELDS, isWritable } from '../../shared/domain/fields.ts';
import { type Client, clientOf, create, eventually } from '../support/api.ts';
import { findChromium, launch } from './chromium.ts';

const MERCHANT = { merchant: '1001' };
const WIDTHS = { desktop: 1_280, phone: 375 } as const;
type Device = keyof typeof WIDTHS;
type Scheme = 'light' | 'dark';
type Locale = 'sv-SE' | 'en-GB';
/** Customers after which an export is a long one in these tests. */
const LONG_EXPORT_ROWS = 20;

const executable = await findChromium();

describe.runIf(executable)('the page for persons', () => {
  let stack: LocalStack;
  let browser: Browser;
  let client: Client;
  let folder: string;
  /** What the page did that it must not: foreign requests, errors. */
  let offences: string[] = [];

  beforeAll(async () => {
    process.env.LONG_EXPORT_ROWS = String(LONG_EXPORT_ROWS);
    stack = await startLocalStack({ sampleToken: MERCHANT });
    client = clientOf(stack.url, await stack.token(MERCHANT));
    browser = await launch(executable ?? '');
    folder = mkdtempSync(join(tmpdir(), 'page-'));
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
    delete process.env.LONG_EXPORT_ROWS;
  });
  beforeEach(async () => {
    for (let ids = await someIds(); ids.length > 0; ids = await someIds()) {
      await client.call('DELETE', '/customers', { body: ids });
    }
    for (const job of (await client.call('GET', '/customers/imports')).body) {
      await client.call('DELETE', `/customers/imports/${job.importId}`);
    }
    await create(client, { customerid: 'K1', name: 'Gläntans Bageri AB', email: 'a@example.com' });
    await create(client, { customerid: 'K2', name: 'Åsa Björklund', email: 'asa@example.com' });
    await eventually(async () => expect(await count('customerid=K2')).toBe(1));
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    expect(offences.splice(0)).toEqual([]);
  });

  async function someIds(): Promise<number[]> {
    const path = '/customers?limit=1000&fields=mexcParamvaluesetsid';
    const { body } = await client.call('GET', path);
    return body.map((each: { mexcParamvaluesetsid: number }) => each.mexcParamvaluesetsid);
  }

  async function count(query = ''): Promise<number> {
    return (await client.call('GET', `/customers/count?${query}`)).body.count;
  }

  /** Returns the fields of the customer with a customerid; undefined if there is none. */
  async function customer(customerid: string): Promise<Record<string, string> | undefined> {
    return (await client.call('GET', `/customers?customerid=${customerid}`)).body[0];
  }

  interface Visit {
    readonly device?: Device;
    readonly scheme?: Scheme;
    readonly locale?: Locale;
    readonly hash?: string;
    /** Changes the context before the page is loaded. */
    readonly prepare?: (context: BrowserContext) => Promise<void>;
  }

  /** Opens the page as a browser with empty storage. */
  async function open({
    device = 'desktop',
    scheme: colorScheme = 'light',
    locale = 'sv-SE',
    hash = '',
    prepare,
  }: Visit = {}): Promise<Page> {
    const viewport = { width: WIDTHS[device], height: 900 };
    const context = await browser.newContext({ viewport, colorScheme, locale });
    await prepare?.(context);
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    page.on('request', (request) => {
      const url = new URL(request.url());
      // Files go to the store and come from it; a blob is the page's own.
      const isFile = url.origin === stack.s3Endpoint || url.protocol === 'blob:';
      if (url.origin !== stack.url && !isFile) offences.push(`request ${request.url()}`);
    });
    page.on('console', (message) => offences.push(`${message.type()} ${message.text()}`));
    page.on('pageerror', (error) => offences.push(`exception ${error.message}`));
    await page.goto(`${stack.url}/app${hash}`);
    await page.getByRole('heading', { level: 2 }).first().waitFor();
    return page;
  }

  /** Forgets errors of responses that are meant to fail; the browser itself logs them. */
  function expectFailedResponses(): void {
    offences = offences.filter((offence) => !/Failed to load resource/.test(offence));
  }

  /** Drops a file on the page. */
  async function drop(page: Page, name: string, content: Buffer): Promise<void> {
    const dataTransfer = await page.evaluateHandle(
      ([fileName, bytes]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], fileName));
        return transfer;
      },
      [name, [...content]] as const,
    );
    await page.locator('.drop').dispatchEvent('drop', { dataTransfer });
  }

  /** Drops a file, and waits for its plan. */
  async function plan(page: Page, name: string, content: Buffer): Promise<void> {
    await drop(page, name, content);
    await says(page, `${name} (`);
    await page.getByRole('button', { name: 'Granska filen' }).click();
    await heading(page, 'Klar att genomföra');
  }

  /** Waits until a text is shown; the region for screen readers has some of them, too. */
  async function says(page: Page, text: string | RegExp): Promise<void> {
    await page.locator('main').getByText(text).first().waitFor();
  }

  async function heading(page: Page, name: string): Promise<void> {
    await page.getByRole('heading', { name, level: 2 }).waitFor();
  }

  /** Sends a file whose upload waits. Returns what interrupts the upload. */
  async function sendSlowly(page: Page, name: string, content: Buffer): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let isFirst = true;
    const interrupt = async (route: Route) => {
      if (!isFirst) return route.continue();
      isFirst = false;
      await promise;
      return route.abort();
    };
    // Not with `times`: Playwright can miss the request after the one for which the last route is removed.
    await page.route((url) => url.origin === stack.s3Endpoint, interrupt);
    await drop(page, name, content);
    await says(page, `${name} (`);
    await page.getByRole('button', { name: 'Granska filen' }).click();
    await page.getByRole('progressbar').waitFor();
    return resolve;
  }

  /** Applies the plan that is shown. */
  async function apply(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Genomför …' }).click();
    await page.getByRole('button', { name: 'Ja, genomför' }).click();
    await heading(page, 'Genomförd');
  }

  async function downloaded(page: Page, click: () => Promise<void>): Promise<Download> {
    const started = page.waitForEvent('download');
    await click();
    return started;
  }

  const contentOf = async (download: Download) => readFileSync(await download.path());

  /** Finds faults of accessibility, at the levels A and AA of WCAG. */
  async function accessibilityFaults(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    return page.evaluate(async () => {
      const { violations } = await (
        globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        }
      ).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
  }

  const scrollsSideways = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

  /** As Excel saves it in Swedish settings: Windows-1252, with semicolons. */
  function excelCsv(lines: readonly string[]): Buffer {
    return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  }
  const KUNDER = excelCsv([
    'Kundnummer;Namn;E-post;Telefon;Säljare',
    'K1;Gläntans Bageri AB;ny@example.com;;Kim',
    'K2;Åsa Björklund;asa@example.com;;Kim',
    'K3;Östens Bygg i Umeå;osten@example.com;090-12 34 56;Bo',
    'K4;Trasig Telefon AB;;7,3E+12;Bo',
    'K5;Dubbel AB;;;Bo',
    'K5;Dubbel Två AB;;;Bo',
  ]);

  describe.each<[Device, Scheme, Locale]>([
    ['desktop', 'light', 'sv-SE'],
    ['phone', 'dark', 'sv-SE'],
    ['desktop', 'dark', 'en-GB'],
    ['phone', 'light', 'en-GB'],
  ])('on a %s with a %s colour scheme, in the language of %s', (device, scheme, locale) => {
    test('has no fault of accessibility and does not scroll sideways, from file to undo', async () => {
      const page = await open({ device, scheme, locale });
      const sv = locale === 'sv-SE';
      const check = async () => {
        expect(await accessibilityFaults(page)).toEqual([]);
        expect(await scrollsSideways(page)).toBe(false);
      };
      await page.waitForLoadState('networkidle');
      await check();
      await drop(page, 'kunder.csv', KUNDER);
      await says(page, 'kunder.csv (');
      await page.getByRole('button', { name: sv ? 'Granska filen' : 'Check the file' }).click();
      await heading(page, sv ? 'Klar att genomföra' : 'Ready to apply');
      for (const outcome of await page.locator('.outcome').all()) {
        await outcome.click();
        await page.waitForLoadState('networkidle');
        await check();
      }
      await page.getByRole('button', { name: sv ? 'Genomför …' : 'Apply …' }).click();
      await check();
      await page.getByRole('button', { name: sv ? 'Ja, genomför' : 'Yes, apply' }).click();
      await heading(page, sv ? 'Genomförd' : 'Applied');
      await check();
      await page.getByRole('button', { name: sv ? 'Ångra …' : 'Undo …' }).click();
      await check();
      await page.getByRole('button', { name: sv ? 'Ja, ångra' : 'Yes, undo' }).click();
      await heading(page, sv ? 'Ångrad' : 'Undone');
      await check();
      await page.getByRole('link', { name: sv ? /^← Alla importer/ : /^← All imports/ }).click();
      await says(page, 'kunder.csv');
      await check();
    });
  });

  describe('an import', () => {
    test('of a CSV file of Excel in Swedish settings is planned, applied and undone', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      // Nothing has changed yet.
      expect(await count()).toBe(2);
      await says(page, 'De här kolumnerna läses inte, eftersom deras rubriker är okända: Säljare.');
      await says(page, '6 rader, windows-1252, avgränsad med semikolon');
      await page.getByRole('button', { name: '1 kund ändras' }).click();
      const changed = page.getByRole('row', { name: /Gläntans Bageri AB/ });
      await changed.getByText('E-post').waitFor();
      expect(await changed.locator('del').textContent()).toBe('a@example.com');
      expect(await changed.locator('ins').textContent()).toBe('ny@example.com');
      await page.getByRole('button', { name: '1 ny kund' }).click();
      await page.getByRole('row', { name: /Östens Bygg i Umeå.*090-12 34 56/ }).waitFor();
      await page.getByRole('button', { name: '1 med fel' }).click();
      await says(page, 'Kalkylprogrammet har förkortat ett långt nummer');
      await page.getByRole('button', { name: '2 oklara' }).click();
      await says(page, 'Raderna 6 och 7 har samma kundnummer K5.');

      await page.getByRole('button', { name: 'Genomför …' }).click();
      const dialog = page.getByRole('dialog');
      expect(await dialog.locator('h2, p:not(.actions)').allTextContents()).toEqual([
        'Genomföra importen?',
        '1 kund läggs till.',
        '1 kund ändras.',
        '1 rad stämmer redan med registret.',
        '3 rader utelämnas: 1 med fel, 2 oklara.',
        'Du kan ångra det i 7 dagar.',
      ]);
      await dialog.getByRole('button', { name: 'Ja, genomför' }).click();
      await heading(page, 'Genomförd');
      await says(page, '1 kund har lagts till');
      expect(await customer('K1')).toMatchObject({ email: 'ny@example.com' });
      await eventually(async () =>
        expect(await customer('K3')).toMatchObject({ name: 'Östens Bygg i Umeå' }),
      );

      await page.getByRole('button', { name: 'Ångra …' }).click();
      await page.getByRole('dialog').getByText('1 kund som lades till tas bort.').waitFor();
      await page.getByRole('button', { name: 'Ja, ångra' }).click();
      await heading(page, 'Ångrad');
      await says(page, '1 kund har tagits bort');
      expect(await customer('K1')).toMatchObject({ email: 'a@example.com' });
      await eventually(async () => expect(await customer('K3')).toBeUndefined());
    });

    test('whose check was interrupted is checked again by a click, with the file that was sent', async () => {
      const page = await open();
      await drop(page, 'kunder.csv', KUNDER);
      await says(page, 'kunder.csv (');
      // As if the function that reads the file had died.
      await page.route('**/customers/imports/*', async (route) => {
        const response = await route.fetch();
        const reason = { code: 'interrupted', detail: 'The import was interrupted.' };
        await route.fulfill({
          response,
          json: { ...(await response.json()), state: 'failed', reason },
        });
      });
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await says(page, 'Den avbröts. Försök igen, eller fortsätt.');
      await page.unroute('**/customers/imports/*');
      await page.getByRole('button', { name: 'Försök igen' }).click();
      await heading(page, 'Klar att genomföra');
    });

    test('that is not agreed to changes nothing', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      await page.getByRole('button', { name: 'Genomför …' }).click();
      // The focus is on the answer that changes nothing.
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await heading(page, 'Klar att genomföra');
      expect(await customer('K1')).toMatchObject({ email: 'a@example.com' });
    });

    test('of an Excel file that was downloaded, edited and saved changes what was edited', async () => {
      const page = await open();
      const file = await downloaded(page, () =>
        page.getByRole('button', { name: 'Hämta', exact: true }).click(),
      );
      expect(file.suggestedFilename()).toMatch(/^customers-[\d-]+\.xlsx$/);
      const { rows } = (await readXlsx(await contentOf(file))).sheets[0] as Sheet;
      const [headings = []] = rows;
      const column = (name: string) => headings.indexOf(name);
      const edited = rows.map((row) => [...row]);
      const bageri = edited.find((row) => row[column('Kundnummer')] === 'K1') as CellValue[];
      bageri[column('Ort')] = 'Malmö';
      const added: CellValue[] = headings.map(() => '');
      added[column('Kundnummer')] = '00042';
      added[column('Namn')] = 'Nya Kunden AB';
      edited.push(added);
      const content = Buffer.from(await writeXlsx({ sheets: [{ name: 'Kunder', rows: edited }] }));

      // By its name the page knows a file of its own, which has ids.
      await drop(page, file.suggestedFilename(), content);
      await page.getByRole('radio', { name: 'På id', checked: true }).waitFor();
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await heading(page, 'Klar att genomföra');
      await says(page, '1 kund läggs till.');
      await says(page, '1 kund ändras.');
      await says(page, '1 rad stämmer redan med registret.');
      await apply(page);
      expect(await customer('K1')).toMatchObject({ postoffice: 'Malmö', email: 'a@example.com' });
      await eventually(async () =>
        expect(await customer('00042')).toMatchObject({ name: 'Nya Kunden AB' }),
      );
    });

    test.each(['Excel', 'CSV'])(
      'gives the rows that are left out as a file of %s, which is mended and sent again',
      async (format) => {
        const page = await open();
        await plan(page, 'kunder.csv', KUNDER);
        const file = await downloaded(page, () =>
          page.getByRole('button', { name: `Hämta som ${format}` }).click(),
        );
        const content = await contentOf(file);
        const mended =
          format === 'Excel'
            ? await mendedXlsx(content)
            : Buffer.from(
                content
                  .toString('utf8')
                  .replaceAll(...MENDED_PHONE)
                  .replace(...MENDED_KEY),
              );
        await page.getByRole('link', { name: /^← Alla importer/ }).click();
        await plan(page, file.suggestedFilename(), mended);
        await says(page, '3 kunder läggs till.');
        await apply(page);
        await eventually(async () => {
          expect(await customer('K4')).toMatchObject({ telephone: '073-000 00 00' });
          expect(await customer('K6')).toMatchObject({ name: 'Dubbel Två AB' });
        });
      },
    );
    const MENDED_PHONE = ['7,3E+12', '073-000 00 00'] as const;
    const MENDED_KEY = [/K5(?=.{1,3}Dubbel Två)/, 'K6'] as const;

    async function mendedXlsx(content: Buffer): Promise<Buffer> {
      const { rows } = (await readXlsx(content)).sheets[0] as Sheet;
      const mended = rows.map((row) => {
        const isSecond = row.includes('Dubbel Två AB');
        return row.map((cell) => {
          if (isSecond && cell === 'K5') return 'K6';
          return cell === MENDED_PHONE[0] ? MENDED_PHONE[1] : cell;
        });
      });
      return Buffer.from(await writeXlsx({ sheets: [{ name: 'Rader', rows: mended }] }));
    }

    test('is found again after a reload, before and after it is applied', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      await page.reload();
      await heading(page, 'kunder.csv: Klar att genomföra');
      await apply(page);
      await page.reload();
      await heading(page, 'kunder.csv: Genomförd');
      await says(page, '1 kund har lagts till');
    });

    test('is in the list with its file and state, from where it is undone and deleted', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      await apply(page);
      await page.getByRole('link', { name: /^← Alla importer/ }).click();
      const item = page.getByRole('listitem').filter({ hasText: 'kunder.csv' });
      await item.getByText('Genomförd').waitFor();
      await item.getByRole('button', { name: 'Ångra …' }).click();
      await page.getByRole('button', { name: 'Ja, ångra' }).click();
      await heading(page, 'Ångrad');
      await page.getByRole('link', { name: /^← Alla importer/ }).click();
      await item.getByText('Ångrad').waitFor();
      await item.getByRole('button', { name: 'Ta bort' }).click();
      await page.getByRole('button', { name: 'Ja, ta bort' }).click();
      await says(page, 'Det finns inga än.');
    });

    test('warns that the same file was applied before', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      await apply(page);
      await page.getByRole('link', { name: /^← Alla importer/ }).click();
      await plan(page, 'igen.csv', KUNDER);
      await says(page, 'Du har redan importerat precis samma fil.');
      await says(page, 'Det finns inget att genomföra.');
      await page.getByRole('link', { name: 'Visa den importen' }).click();
      await heading(page, 'kunder.csv: Genomförd');
    });

    test('does what the settings say', async () => {
      const page = await open();
      await page.getByRole('radio', { name: 'Ändra befintliga kunder' }).check();
      await page.getByRole('radio', { name: 'Töm fältet i registret' }).check();
      const lines = ['Kundnummer;Namn;E-post', 'K1;Gläntans Bageri AB;', 'K9;Ny AB;'];
      await plan(page, 'kunder.csv', excelCsv(lines));
      await says(page, '1 kund ändras.');
      await says(page, '1 rad utelämnas: 1 hoppas över.');
      await page.getByRole('button', { name: '1 hoppas över' }).click();
      await says(page, 'Det finns ingen kund med kundnummer');
      await apply(page);
      expect(await customer('K1')).toMatchObject({ email: '' });
      expect(await count()).toBe(2);
    });

    test('of many rows shows its progress, is stopped, continued and undone', async () => {
      const lines = Array.from({ length: 1_500 }, (_, index) => `M${index + 1};Kund ${index + 1}`);
      const page = await open();
      // It writes 300 rows a second, and fewer on a machine that is busy.
      page.setDefaultTimeout(60_000);
      await plan(page, 'stor.csv', excelCsv(['Kundnummer;Namn', ...lines]));
      await page.getByRole('button', { name: 'Genomför …' }).click();
      await page.getByRole('button', { name: 'Ja, genomför' }).click();
      await heading(page, 'Genomförs');
      await says(page, /\d av 1\s500 rader/);
      await page.getByRole('button', { name: 'Avbryt' }).click();
      await heading(page, 'Avbruten halvvägs');
      await says(page, 'Fortsätt med resten, eller ångra det som blev gjort.');
      expect(await count()).toBeLessThan(1_502);
      await page.getByRole('button', { name: 'Fortsätt' }).click();
      await page.getByRole('button', { name: 'Ja, genomför' }).click();
      await heading(page, 'Genomförd');
      await says(page, /^1\s500 kunder har lagts till$/);
      await page.getByRole('button', { name: 'Ångra …' }).click();
      await page.getByRole('button', { name: 'Ja, ångra' }).click();
      await heading(page, 'Ångrad');
      await eventually(async () => expect(await count()).toBe(2));
    });

    test('goes on after the connection was lost', async () => {
      const page = await open();
      await plan(page, 'kunder.csv', KUNDER);
      await page.context().setOffline(true);
      await page.getByRole('button', { name: 'Genomför …' }).click();
      await page.getByRole('button', { name: 'Ja, genomför' }).click();
      await says(page, 'Registret går inte att nå.');
      await page.context().setOffline(false);
      await page.getByRole('button', { name: 'Försök igen' }).click();
      await page.getByRole('button', { name: 'Försök igen' }).waitFor({ state: 'detached' });
      await apply(page);
      expectFailedResponses();
    });

    test('of another merchant is not shown', async () => {
      const other = clientOf(stack.url, await stack.token({ merchant: '2002' }));
      const body = { format: 'csv', bytes: 10, match: ['customerid'] };
      const { importId } = (await other.call('POST', '/customers/imports', { body })).body;
      const page = await open({ hash: `#import=${importId}` });
      await says(page, 'Det här finns inte längre.');
      expectFailedResponses();
    });

    test('shows its rows a page at a time', async () => {
      const lines = Array.from({ length: 60 }, (_, index) => `N${index + 1};Kund ${index + 1}`);
      const page = await open();
      await plan(page, 'kunder.csv', excelCsv(['Kundnummer;Namn', ...lines]));
      await says(page, 'Rad 1–25 av 60');
      await page.getByRole('button', { name: 'Nästa' }).click();
      await says(page, 'Rad 26–50 av 60');
      await page.getByRole('button', { name: 'Nästa' }).click();
      await says(page, 'Rad 51–60 av 60');
      await page.getByRole('row', { name: /Kund 60/ }).waitFor();
      expect(await page.getByRole('button', { name: 'Nästa' }).isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Föregående' }).click();
      await says(page, 'Rad 26–50 av 60');
    });

    test('shows ten errors of a row, the others on demand, and says if a file has not all rows', async () => {
      const wrong = FIELDS.filter(isWritable).slice(1, 13);
      const lines = [
        `Kundnummer;${wrong.map(({ name }) => name).join(';')}`,
        `K8;${wrong.map(() => '\u0001').join(';')}`,
      ];
      const page = await open({ locale: 'en-GB' });
      await drop(page, 'wrong.csv', excelCsv(lines));
      await says(page, 'wrong.csv (');
      await page.getByRole('button', { name: 'Check the file' }).click();
      await heading(page, 'Ready to apply');
      const shown = page.locator('.faults li:visible');
      await page.getByText('And 2 more errors.').waitFor();
      expect(await shown.count()).toBe(10);
      await page.getByText('And 2 more errors.').click();
      expect(await shown.count()).toBe(12);
      expect(await accessibilityFaults(page)).toEqual([]);

      await page.route(/\/rejected\?/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), count: 0 } });
      });
      const button = page.getByRole('button', { name: 'Download as CSV' });
      await downloaded(page, () => button.click());
      await says(page, 'The file has the first 0 of the 1 rows');
    });

    test('shows hostile texts as they are, and runs nothing of them', async () => {
      const page = await open();
      const hostile = '<img src=x onerror=alert(1)>';
      await plan(page, '<b>x.csv', excelCsv([`Kundnummer;Namn;<i>${hostile}`, `K8;${hostile};`]));
      await page.getByRole('row', { name: hostile }).waitFor();
      await says(page, `rubriker är okända: <i>${hostile}.`);
      expect(await page.locator('main img, main b, main i').count()).toBe(0);
    });

    test('is made with the keyboard alone', async () => {
      const page = await open();
      const chooser = page.waitForEvent('filechooser');
      const isOn = (name: string) =>
        page.evaluate((text) => document.activeElement?.textContent?.includes(text) ?? false, name);
      /** Presses Tab until the focus is on what has this text, or on the input of files. */
      const tabTo = async (name: string) => {
        for (let presses = 0; presses < 40; presses += 1) {
          await page.keyboard.press('Tab');
          if (
            name === 'file' &&
            (await page.evaluate(() => document.activeElement?.id === 'file'))
          ) {
            return;
          }
          if (name !== 'file' && (await isOn(name))) return;
        }
        throw new Error(`Tab does not reach ${name}.`);
      };
      await tabTo('file');
      await page.keyboard.press('Enter');
      const path = join(folder, 'kunder.csv');
      writeFileSync(path, KUNDER);
      await (await chooser).setFiles(path);
      await says(page, 'kunder.csv (');
      await tabTo('Granska filen');
      await page.keyboard.press('Enter');
      await heading(page, 'Klar att genomföra');
      await tabTo('Genomför …');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Shift+Tab');
      expect(await isOn('Ja, genomför')).toBe(true);
      await page.keyboard.press('Enter');
      await heading(page, 'Genomförd');
      // The reader is led to what has changed.
      expect(await isOn('Genomförd')).toBe(true);
    });
  });

  describe('a file that cannot be imported', () => {
    test.each([
      ['kunder.pdf', Buffer.from('%PDF-1.7 …'), 'Det här är en PDF.'],
      ['kunder.xls', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'Det här är det gamla Excelformatet'],
      [
        'kunder.ods',
        Buffer.from('PK\x03\x04…'),
        'Det här är en fil från LibreOffice eller Numbers.',
      ],
      ['bild.png', Buffer.from('89504e470d0a1a0a0000', 'hex'), 'Det här är varken Excel, CSV'],
      ['tom.csv', Buffer.alloc(0), 'Filen är tom.'],
    ])('is refused before it is sent: %s', async (name, content, text) => {
      const page = await open();
      await drop(page, name, content);
      await page.getByRole('alert').getByText(text).waitFor();
    });

    test.each<[Locale, string]>([
      ['sv-SE', 'Första raden måste ha rubriker som är kända'],
      ['en-GB', 'The first row must have headings that we know'],
    ])(
      'says what to do, in the language of %s, if the API cannot read it',
      async (locale, text) => {
        const page = await open({ locale });
        await drop(page, 'siffror.csv', excelCsv(['1;2;3', '4;5;6']));
        await says(page, 'siffror.csv (');
        await page.locator('form button[type=submit]').last().click();
        await says(page, text);
        expectFailedResponses();
      },
    );

    test('that is canceled while its import is created is neither sent nor planned, and can be sent again', async () => {
      const page = await open();
      const sent: string[] = [];
      page.on('request', (request) => sent.push(`${request.method()} ${request.url()}`));
      await page.route('**/customers/imports', async (route) => {
        if (route.request().method() === 'POST') {
          await page.getByRole('button', { name: 'Avbryt' }).click();
        }
        await route.continue();
      });
      await drop(page, 'kunder.csv', KUNDER);
      await says(page, 'kunder.csv (');
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await page.getByRole('button', { name: 'Avbryt' }).waitFor({ state: 'detached' });
      await page.unroute('**/customers/imports');
      expect(sent.filter((request) => /^PUT|\/plan$/.test(request))).toEqual([]);
      expect((await client.call('GET', '/customers/imports')).body).toEqual([]);
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await heading(page, 'kunder.csv: Klar att genomföra');
    });

    test('is not sent, if none is chosen', async () => {
      const page = await open();
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await page.getByRole('alert').getByText('Välj en fil först.').waitFor();
    });
  });

  describe('an export', () => {
    test.each([
      ['CSV för Excel med svenska inställningar', 'csv', /^\ufeffId;Skapad;Kundnummer;/],
      ['CSV', 'csv', /^mexcParamvaluesetsid,date,customerid,/],
      ['XML', 'xml', /^<\?xml [\s\S]*Åsa Björklund/],
      ['JSON Lines', 'jsonl', /^\{"mexcParamvaluesetsid":\d+,.*\n\{/],
    ])('as %s is a file of that kind', async (name, extension, content) => {
      const page = await open();
      // Each is called by its name, and by what it is for.
      await page.getByRole('radio', { name: new RegExp(`^${name} ?\\p{Lu}`, 'u') }).check();
      const file = await downloaded(page, () =>
        page.getByRole('button', { name: 'Hämta', exact: true }).click(),
      );
      expect(file.suggestedFilename()).toMatch(new RegExp(`\\.${extension}$`));
      expect((await contentOf(file)).toString('utf8')).toMatch(content);
      await says(page, '2 kunder, ');
    });

    test('that is long shows its progress until the file is ready', async () => {
      const many = Array.from({ length: LONG_EXPORT_ROWS * 2 }, (_, index) => ({
        name: `N${index}`,
      }));
      await client.call('POST', '/customers', { body: many });
      await eventually(async () => expect(await count()).toBe(many.length + 2));
      const page = await open();
      const file = await downloaded(page, async () => {
        await page.getByRole('button', { name: 'Hämta', exact: true }).click();
        await says(page, /av omkring \d+ kunder finns i filen/);
      });
      const { rows } = (await readXlsx(await contentOf(file))).sheets[0] as Sheet;
      expect(rows).toHaveLength(many.length + 3);
    });
  });

  describe('the language', () => {
    test('is that of the browser until another is chosen, which is remembered', async () => {
      const page = await open({ locale: 'sv-SE' });
      await heading(page, 'Hämta kunder');
      expect(await page.locator('html').getAttribute('lang')).toBe('sv');
      await page.getByRole('button', { name: 'English' }).click();
      await heading(page, 'Download customers');
      expect(await page.title()).toBe('Customers in and out');
      await page.reload();
      await heading(page, 'Download customers');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
    });

    test('can be changed after a file is chosen, which stays with what was said about it', async () => {
      const page = await open({ locale: 'sv-SE' });
      await drop(page, 'kunder.csv', KUNDER);
      await says(page, 'kunder.csv (');
      await page.getByRole('radio', { name: 'Ändra befintliga kunder' }).check();
      await page.getByLabel('Rader utan ett sådant nummer').check();
      await page.getByRole('button', { name: 'English' }).click();
      await says(page, 'kunder.csv (');
      expect(await page.getByRole('radio', { name: 'Change existing customers' }).isChecked()).toBe(
        true,
      );
      expect(await page.getByLabel('Rows without such a number').isChecked()).toBe(true);
      await page.getByRole('button', { name: 'Check the file' }).click();
      await heading(page, 'Ready to apply');
      const [job] = (await client.call('GET', '/customers/imports')).body;
      expect(job).toMatchObject({
        filename: 'kunder.csv',
        options: { mode: 'update', unkeyed: 'create' },
      });
      // What was sent is not offered again.
      await page.getByRole('link', { name: /^← All imports/ }).click();
      await page.getByRole('button', { name: 'Check the file' }).click();
      await says(page, 'Choose a file first');
      expect(await page.getByRole('radio', { name: 'Change existing customers' }).isChecked()).toBe(
        false,
      );
    });
  });

  test('tells in a language that is chosen while a file is sent how that goes, and why it failed', async () => {
    const page = await open({ locale: 'sv-SE' });
    const interrupt = await sendSlowly(page, 'kunder.csv', KUNDER);
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('progressbar').waitFor();
    const submit = page.getByRole('button', { name: 'Check the file' });
    expect(await submit.isDisabled()).toBe(true);
    interrupt();
    await page.getByRole('alert').getByText('The file did not arrive.').waitFor();
    await says(page, 'kunder.csv (');
    await submit.click();
    await heading(page, 'Ready to apply');
    expectFailedResponses();
  });

  test('says what is wrong with a file that is chosen while another is sent, which goes on', async () => {
    const page = await open();
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route('**/customers/imports/*/plan', async (route) => {
      await promise;
      await route.continue();
    });
    await drop(page, 'kunder.csv', KUNDER);
    await says(page, 'kunder.csv (');
    await page.getByRole('button', { name: 'Granska filen' }).click();
    await says(page, '100 % skickat');
    await drop(page, 'kunder.pdf', Buffer.from('%PDF-1.7 …'));
    await page.getByRole('alert').getByText('Det här är en PDF.').waitFor();
    expect(await page.getByRole('progressbar').isVisible()).toBe(true);
    resolve();
    await heading(page, 'kunder.csv: Klar att genomföra');
  });

  test('tells why a file could not be sent when another import was shown meanwhile', async () => {
    const page = await open();
    await plan(page, 'first.csv', KUNDER);
    await page.getByRole('link', { name: /^← Alla importer/ }).click();
    const interrupt = await sendSlowly(page, 'kunder.csv', KUNDER);
    await page.getByRole('link', { name: 'first.csv' }).click();
    await heading(page, 'Klar att genomföra');
    const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
    interrupt();
    await deleted;
    await page.getByRole('link', { name: /^← Alla importer/ }).click();
    await page.getByRole('alert').getByText('Filen kom inte fram.').waitFor();
    expectFailedResponses();
  });

  describe('the token', () => {
    /** Makes the page what it is on a deployment, which names no path for a token. */
    async function asDeployed(context: BrowserContext): Promise<void> {
      await context.route('**/app', async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace('content="/local/token"', 'content=""');
        await route.fulfill({ response, body });
      });
    }

    test('of the local stack is used without pasting, and stored nowhere', async () => {
      const page = await open();
      await says(page, 'Det finns inga än.');
      const storage = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
      expect(storage).not.toContain('ey');
      expect(await page.context().cookies()).toEqual([]);
    });

    test('is pasted on a deployment, and kept until the tab is closed', async () => {
      const page = await open({ prepare: asDeployed });
      await heading(page, 'Åtkomst');
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.getByLabel('Åtkomstnyckel (token)').fill(` Bearer ${client.token}\n`);
      await page.getByRole('button', { name: 'Fortsätt' }).click();
      await says(page, 'Det finns inga än.');
      await page.reload();
      await says(page, 'Det finns inga än.');
      expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('ey');
      const other = await page.context().newPage();
      await other.goto(`${stack.url}/app`);
      await heading(other, 'Åtkomst');
    });

    test('that is changed while a file is sent leaves nothing of the file to the next reader', async () => {
      const page = await open({ prepare: asDeployed });
      const paste = async () => {
        await page.getByLabel('Åtkomstnyckel (token)').fill(client.token);
        await page.getByRole('button', { name: 'Fortsätt' }).click();
        await says(page, 'Granska filen');
      };
      await paste();
      const interrupt = await sendSlowly(page, 'kunder.csv', KUNDER);
      await page.getByRole('button', { name: 'Byt åtkomstnyckel' }).click();
      await paste();
      interrupt();
      await page.getByRole('button', { name: 'Granska filen' }).click();
      await page.getByRole('alert').getByText('Välj en fil först.').waitFor();
      expect(await page.locator('main').textContent()).not.toContain('kunder.csv (');
      expectFailedResponses();
    });

    test('that has expired is asked for once, and a response that comes late does not end the new session', async () => {
      const page = await open({ prepare: asDeployed });
      const late = Promise.withResolvers<void>();
      const expired = { status: 401, json: { message: 'Unauthorized' } };
      let calls = 0;
      await page.route('**/customers/imports', async (route) => {
        calls += 1;
        if (calls > 1) return route.continue();
        await late.promise;
        await route.fulfill(expired);
      });
      await page.route('**/customers/export/**', (route) => route.fulfill(expired), { times: 1 });
      const paste = async (token: string) => {
        await page.getByLabel('Åtkomstnyckel (token)').fill(token);
        await page.getByRole('button', { name: 'Fortsätt' }).click();
      };
      await paste(client.token);
      await page.getByRole('button', { name: 'Hämta', exact: true }).click();
      await says(page, 'Åtkomstnyckeln är ogiltig eller har gått ut.');
      await paste(
        await stack.token({ ...MERCHANT, scopes: ['customers:write', 'customers:read'] }),
      );
      await says(page, 'Det finns inga än.');
      const answered = page.waitForResponse((response) => response.status() === 401);
      late.resolve();
      await answered;
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
      await says(page, 'Det finns inga än.');
      expectFailedResponses();
    });

    test('that is not valid is asked for again, and what may not be done is said', async () => {
      const page = await open({ prepare: asDeployed });
      await page.getByLabel('Åtkomstnyckel (token)').fill('wrong');
      await page.getByRole('button', { name: 'Fortsätt' }).click();
      await says(page, 'Åtkomstnyckeln är ogiltig eller har gått ut.');
      const readOnly = await stack.token({ ...MERCHANT, scopes: ['customers:read'] });
      await page.getByLabel('Åtkomstnyckel (token)').fill(readOnly);
      await page.getByRole('button', { name: 'Fortsätt' }).click();
      await says(page, 'Åtkomstnyckeln tillåter inte det här.');
      expectFailedResponses();
    });
  });
});

interface Sheet {
  readonly rows: readonly CellValue[][];
}
