// The dashboard in Chromium: clicks, keyboard, light and dark, narrow pages, and what axe-core finds.
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { showPage } from '../dashboard/harness.ts';
import { longName, makeFew, makeMany } from '../dashboard/installation.ts';
import { startDashboard } from '../sandbox/dashboard/server.ts';
import type { RunningServer } from '../sandbox/http-server.ts';
import { clusterName, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import type { StatusLab } from '../status/harness.ts';
import { startChromium } from './parts/chromium.ts';
import { missing } from './parts/locate.ts';

const lacks = missing(['chromium']);
/** Where the pictures are kept, for people who look at them. */
const pictures = join(import.meta.dirname, '../../node_modules/.cache/certrelay-pictures');
const [wide, narrow] = [1280, 320];

describe.skipIf(lacks.length > 0)(
  `the dashboard in a browser (needs: test/real/install ${lacks.join(' ')})`,
  () => {
    let browser: Browser;
    let axe: string;
    const servers: RunningServer[] = [];
    let few: string;
    let many: string;
    beforeAll(async () => {
      await mkdir(pictures, { recursive: true });
      axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
      browser = await startChromium();
      [few, many] = [await serveLab(makeFew()), await serveLab(makeMany(10_000))];
    });
    afterAll(async () => {
      await browser?.close();
      await Promise.all(servers.map((server) => server.stop()));
    });

    /** A dashboard whose function answers for an installation that stands still. */
    async function serveLab(lab: StatusLab): Promise<string> {
      const server = await startDashboard({
        lambda: {
          async invoke(_, event) {
            const page = await showPage(lab, Object(event));
            // As the sandbox calls its functions.
            const answer = page.replaceAll('function:certrelay-dev-', 'function:');
            return { answer, error: undefined, peakMemoryMb: 1, log: [] };
          },
        },
      });
      servers.push(server);
      return server.url;
    }

    async function open(url: string, width = wide): Promise<Page> {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      page.setDefaultTimeout(30_000);
      await page.goto(url);
      await page.locator('.certrelay h2').waitFor();
      return page;
    }

    async function darken(page: Page): Promise<void> {
      await page.getByRole('button', { name: 'Light or dark' }).click();
      await page.locator('.certrelay.dark').waitFor();
    }

    async function openCertificate(page: Page, name: string): Promise<void> {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('heading', { name, exact: true }).waitFor();
    }

    /** What axe-core finds, in words. */
    async function audit(page: Page): Promise<readonly string[]> {
      // The page lets no foreign script in; a debugger is no page.
      await page.evaluate(axe);
      const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    }

    /** Elements that stick out of the page, or whose text is cut. */
    function findCut(page: Page): Promise<readonly string[]> {
      return page.evaluate<string[]>(`[...document.querySelectorAll('#widget *, header *')]
      .filter((one) => !one.closest('thead, svg, cwdb-action, .bar, style') && one.getClientRects().length > 0)
      .filter((one) => {
        const { left, right } = one.getBoundingClientRect();
        return left < -0.5 || right > innerWidth + 0.5 || (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline' && one.tagName !== 'SELECT' && one.tagName !== 'INPUT');
      })
      .map((one) => one.outerHTML.slice(0, 120))`);
    }

    interface View {
      readonly what: string;
      readonly width: number;
      readonly theme: 'light' | 'dark';
      readonly certificate?: string;
    }
    const lists: readonly View[] = [
      { what: 'wide', width: wide, theme: 'light' },
      { what: 'dark', width: wide, theme: 'dark' },
      { what: 'narrow', width: narrow, theme: 'light' },
    ];
    const views: readonly View[] = [
      ...lists,
      { what: 'certificate', width: wide, theme: 'light', certificate: 'payments' },
      { what: 'certificate-dark', width: wide, theme: 'dark', certificate: 'legacy' },
      { what: 'certificate-narrow', width: narrow, theme: 'dark', certificate: longName },
    ];

    it.each(
      views,
    )('five certificates, $what: axe-core finds nothing, nothing is cut, nothing is taken away', async ({
      what,
      width,
      theme,
      certificate,
    }) => {
      const page = await open(few, width);
      if (theme === 'dark') await darken(page);
      if (certificate !== undefined) await openCertificate(page, certificate);
      await page.screenshot({ path: join(pictures, `five-${what}.png`), fullPage: true });
      expect(await audit(page)).toEqual([]);
      expect(await findCut(page)).toEqual([]);
      expect(await page.locator('#widget').getAttribute('data-removed')).toBe('0');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await page.close();
    });

    it.each(lists)('ten thousand certificates, $what: a page of fifty, well and whole', async ({
      what,
      width,
      theme,
    }) => {
      const page = await open(many, width);
      if (theme === 'dark') await darken(page);
      await page.screenshot({ path: join(pictures, `many-${what}.png`) });
      expect(await page.getByRole('rowheader').count()).toBe(50);
      expect(await audit(page)).toEqual([]);
      expect(await findCut(page)).toEqual([]);
      await page.getByRole('button', { name: 'Last' }).first().click();
      await page.getByText('Page 200 of 200').first().waitFor();
      await page.close();
    });

    it('everything is reached and pressed by the keyboard alone', async () => {
      const page = await open(few);
      const names = await page.evaluate<string[]>(
        `[...document.querySelectorAll('button, input, select, summary')].filter((one) => !one.disabled && one.offsetParent).map((one) => one.textContent.trim() || one.name)`,
      );
      const reached: string[] = [];
      for (const _ of names) {
        await page.keyboard.press('Tab');
        reached.push(
          await page.evaluate<string>(
            `document.activeElement.textContent.trim() || document.activeElement.name`,
          ),
        );
      }
      expect(reached.toSorted()).toEqual(names.toSorted());
      await page.getByLabel('Name, target or reason').focus();
      await page.keyboard.type('payments');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('1 certificate, the worst first.').waitFor();
      await page.getByRole('button', { name: 'payments', exact: true }).focus();
      await page.keyboard.press('Space');
      await page.getByRole('heading', { name: 'payments' }).waitFor();
      await page.getByRole('button', { name: 'Back to all certificates' }).press('Enter');
      // What was searched for is still there.
      expect(await page.getByLabel('Name, target or reason').inputValue()).toBe('payments');
      await page.close();
    });

    describe('over the sandbox', () => {
      let sandbox: Sandbox;
      let url: string;
      beforeAll(async () => {
        const target = { cluster: clusterName, namespace: 'edge', secret: 'shop-tls' };
        sandbox = await startSandbox({
          namespaces: ['edge'],
          certificates: [
            { name: 'shop', domains: ['shop.example.com'], issuer: 'default', targets: [target] },
          ],
        });
        const server = await startDashboard(sandbox);
        servers.push(server);
        ({ url } = server);
      });
      afterAll(() => sandbox?.stop());

      /** Presses a button, says yes or no, and reads the answer. */
      async function press(page: Page, label: string, says: 'Yes' | 'Cancel' = 'Yes'): Promise<string> {
        await page.getByRole('button', { name: label, exact: true }).click();
        await page.getByRole('dialog').getByRole('button', { name: says }).click();
        if (says === 'Cancel') return '';
        const answer = page.locator('#answer[open] #answer-text');
        await answer.waitFor();
        const text = (await answer.textContent()) ?? '';
        await page.getByRole('button', { name: 'Close' }).click();
        return text;
      }

      it('a person orders, sees it served to its targets, and pauses it', async () => {
        const page = await open(url);
        await openCertificate(page, 'shop');
        await press(page, 'Order if due', 'Cancel');
        expect(sandbox.events).toEqual([]);
        expect(await press(page, 'Order if due')).toContain('issue has the request for shop');
        await sandbox.queues.issue.untilEmpty();
        await sandbox.queues.deploy.untilEmpty();
        await page.getByRole('button', { name: 'Refresh' }).click();
        await page.getByRole('row', { name: /lab\/edge\/shop-tls Healthy up to date/ }).waitFor();
        expect(await press(page, 'Pause')).toContain('shop is paused');
        await page.getByRole('button', { name: 'Back to all certificates' }).click();
        await page.getByRole('button', { name: '1 Suspended' }).click();
        await page.getByText('1 certificate, the worst first.').waitFor();
        expect(await audit(page)).toEqual([]);
        await page.close();
      });

      it('a person who may only look sees AWS’s refusal, and nothing happens', async () => {
        const server = await startDashboard({ lambda: sandbox.lambda, mayCall: ['dashboard'] });
        servers.push(server);
        const page = await open(server.url);
        await openCertificate(page, 'shop');
        const before = sandbox.events.length;
        expect(await press(page, 'Deliver')).toContain('not authorized to perform: lambda:InvokeFunction');
        expect(sandbox.events).toHaveLength(before);
        await page.close();
      });
    });
  },
);
