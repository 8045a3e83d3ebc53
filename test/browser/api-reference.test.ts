import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { clientOf, create } from '../support/api.ts';
import { document as openApi } from '../support/openapi-document.ts';
import { findChromium, launch } from './chromium.ts';

const MERCHANT = { merchant: '1001' };
const NAME = 'Gläntans Bageri AB';
const WIDTHS = { desktop: 1_280, phone: 375 } as const;
type Device = keyof typeof WIDTHS;
type Scheme = 'light' | 'dark';

const executable = await findChromium();
if (!executable) {
  console.warn('There is no Chromium on this machine; CHROMIUM_PATH can name one. Tests skipped.');
}

describe.runIf(executable)('the API reference', () => {
  let stack: LocalStack;
  let browser: Browser;
  /** What the page did that it must not: foreign requests, errors, cookies. */
  let offences: string[] = [];

  beforeAll(async () => {
    stack = await startLocalStack({ sampleToken: MERCHANT });
    const client = clientOf(stack.url, await stack.token(MERCHANT));
    await create(client, { name: NAME });
    browser = await launch(executable ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });
  afterEach(() => expect(offences.splice(0)).toEqual([]));

  /** Opens the page as a browser with empty storage, and waits until it shows the reference. */
  async function open(device: Device, colorScheme: Scheme = 'light', hash = ''): Promise<Page> {
    const viewport = { width: WIDTHS[device], height: 900 };
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== stack.url && protocol !== 'data:') offences.push(`request ${request.url()}`);
    });
    page.on('console', (message) => {
      if (message.type() !== 'info') offences.push(`${message.type()} ${message.text()}`);
    });
    page.on('pageerror', (error) => offences.push(`exception ${error.message}`));
    await page.goto(`${stack.url}/docs${hash}`);
    await page.getByRole('heading', { name: openApi.info.title, exact: true }).first().waitFor();
    return page;
  }

  /** Opens the form with which an operation is tried, and sends it as it is. */
  async function send(page: Page, method: string, path: string): Promise<void> {
    await page.getByRole('button', { name: `Test Request (${method} ${path})` }).click();
    await page.locator('button[data-addressbar-action="send"]:visible').click();
    await page.getByText('200 OK').waitFor();
  }

  describe.each<[Device, Scheme]>([
    ['desktop', 'light'],
    ['desktop', 'dark'],
    ['phone', 'light'],
    ['phone', 'dark'],
  ])('on a %s with a %s colour scheme', (device, scheme) => {
    let page: Page;
    beforeAll(async () => {
      page = await open(device, scheme);
    });
    afterAll(() => page.context().close());

    test('loads from its own origin without an error, and stores nothing', async () => {
      await page.waitForLoadState('networkidle');
      expect(
        await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })),
      ).toEqual([]);
      expect(await page.context().cookies()).toEqual([]);
    });

    test('has the colours of the scheme', async () => {
      const lightness = await page.evaluate(() => {
        const { backgroundColor } = getComputedStyle(
          document.querySelector('.scalar-app') as Element,
        );
        const [red = 0, green = 0, blue = 0] = (backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
        return (red + green + blue) / 3;
      });
      if (scheme === 'light') expect(lightness).toBeGreaterThan(200);
      else expect(lightness).toBeLessThan(50);
    });

    test('does not scroll sideways in any chapter', async () => {
      for (const { name } of openApi.tags) {
        const anchor = `tag/${name.toLowerCase().replaceAll(' ', '-')}`;
        await page.evaluate((hash) => {
          location.hash = hash;
        }, anchor);
        const chapter = page.locator(`section[id$="/${anchor}"]`).first();
        await chapter.getByText(name).first().waitFor();
        await chapter.scrollIntoViewIfNeeded();
        const [content, window] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          innerWidth,
        ]);
        expect(content, anchor).toBeLessThanOrEqual(window ?? 0);
      }
    });

    test('lists each endpoint and each guide', async () => {
      if (device === 'phone') await page.getByRole('button', { name: 'Open Menu' }).click();
      const sidebar = page.getByRole('navigation').or(page.locator('aside'));
      const listed = (await sidebar.allInnerTexts()).join('\n');
      for (const { summary } of ENDPOINTS) expect(listed).toContain(summary);
      for (const { name } of openApi.tags) expect(listed).toContain(name);
    });
  });

  describe.each<Device>(['desktop', 'phone'])('on a %s', (device) => {
    test('search finds an endpoint and leads to it', async () => {
      const page = await open(device);
      if (device === 'phone') await page.getByRole('button', { name: 'Open Menu' }).click();
      await page
        .getByRole('button', { name: /Search/ })
        .first()
        .click();
      await page.keyboard.type('organisation number');
      await page
        .getByRole('option', { name: /Look a person or company up/ })
        .first()
        .click();
      await page.waitForURL(/#tag\/look-up\/GET/);
      await page.context().close();
    });

    test('a call is tried by a click, with the token of the sample merchant', async () => {
      const page = await open(device, 'light', '#tag/customers/GET/customers');
      await send(page, 'get', '/customers');
      await page.locator('.cm-line', { hasText: NAME }).waitFor();
      await page.context().close();
    });

    test('the CSV file is fetched by a click', async () => {
      const page = await open(device, 'light', '#tag/exports/GET/customers/export/csv');
      await send(page, 'get', '/customers/export/csv');
      const started = page.waitForEvent('download');
      await page.getByRole('link', { name: /^Download customers-.*\.csv$/ }).click();
      const download = await started;
      expect(download.suggestedFilename()).toMatch(/^customers-[\d-]+\.csv$/);
      expect(readFileSync(await download.path(), 'utf8')).toContain(NAME);
      // The link leads to the file store.
      offences = offences.filter((offence) => !offence.startsWith(`request ${stack.s3Endpoint}/`));
      await page.context().close();
    });

    test('the code samples are for the language and library that are chosen', async () => {
      const anchor = 'tag/customers/GET/customers';
      const page = await open(device, 'light', `#${anchor}`);
      const operation = page.locator(`[id$="/${anchor}"]`).first();
      for (const [library, code] of [
        ['Guzzle', 'GuzzleHttp'],
        ['Requests', 'requests.get('],
        ['jQuery', '$.ajax('],
        ['Curl', 'curl '],
      ] as const) {
        await operation.getByTestId('client-picker').click();
        await page.getByRole('option', { name: library, exact: true }).click();
        await expect.poll(() => operation.textContent()).toContain(code);
      }
      await page.context().close();
    });
  });
});
