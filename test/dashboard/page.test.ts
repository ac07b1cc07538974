// What the page of the dashboard shows, and that it shows everything harmlessly.
import { beforeEach, describe, expect, it } from 'vitest';
import { widgetDocs } from '../../lib/dashboard/docs.ts';
import { parseStatusEvent } from '../../lib/requests/status.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, StatusLab } from '../status/harness.ts';
import { buttonOf, elementsOf, endpoints, showPage, textOf } from './harness.ts';

let lab: StatusLab;
beforeEach(() => {
  lab = new StatusLab();
});

/** Three certificates: one fine, one paused, one that has ended. */
function fill(): void {
  lab.keep('shop');
  lab.keep('paused', { pausedSince: at(-dayMs), pauseReason: 'we move' });
  lab.keep('ended', { notBefore: at(-92 * dayMs), notAfter: at(-2 * dayMs) }, { targets: [targetOf()] });
}

describe('the list', () => {
  it('has the worst first, with health in words, the reason, the days left, targets and what is next', async () => {
    fill();
    const text = textOf(await showPage(lab));
    const order = ['ended.example.com', 'paused.example.com', 'shop.example.com'].map((name) =>
      text.indexOf(name),
    );
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(text).toMatch(/1 Degraded .*1 Suspended .*0 Progressing .*1 Healthy/);
    expect(text).toContain('Paused paused since 2026-11-21 10:00: we move');
    expect(text).not.toMatch(/\d\dT\d\d:/);
    expect(text).toMatch(
      /ended ended\.example\.com Degraded Expired .*ended 2\.0 days ago .*0 of 1 delivered, 0 served/,
    );
    expect(text).toMatch(/paused paused\.example\.com Suspended Paused .*we move/);
    expect(text).toMatch(/shop shop\.example\.com Healthy up to date 45 days – order 2026-12-07 10:00/);
    expect(text).toContain('Installation certrelay, as of 2026-11-22 10:00');
  });

  it('of an installation without certificates says how one comes there, and has nothing to search', async () => {
    const page = await showPage(lab);
    expect(textOf(page)).toContain('There are none yet: write one into the inventory and deploy it');
    expect(elementsOf(page).filter(({ name }) => ['form', 'table', 'input'].includes(name))).toEqual([]);
  });

  it('shows the life of a certificate with the window of its renewal', async () => {
    lab.keep('shop');
    lab.keep('asked', {
      certificateId: 'a.b',
      windowOf: 'a.b',
      windowStart: at(-9 * dayMs),
      windowEnd: at(9 * dayMs),
    });
    const page = await showPage(lab);
    expect(page).toContain(
      '45 days; valid 2026-10-08 to 2027-01-06, renewed between 2026-12-07 and 2026-12-22',
    );
    expect(page).toContain('style="left:50%"');
    expect(page).toContain('style="left:66.7%;width:16.6%"');
    expect(page).toContain('style="left:40%;width:20.0%"');
  });

  it('tells what is ill beside certificates, with its command, and nothing of what is fine', async () => {
    lab.keep('shop');
    expect(textOf(await showPage(lab))).toContain('agents, functions and channels: all Healthy.');
    const trouble = { since: at(-dayMs), code: 'Unreachable', words: 'connect ECONNREFUSED' };
    lab.operations = { passes: {}, clusters: { lab: trouble } };
    const text = textOf(await showPage(lab));
    expect(text).toMatch(
      /Degraded cluster lab: ClusterFailing since 2026-11-21 10:00\. connect ECONNREFUSED npx /,
    );
    expect(text).not.toContain('issuer');
  });

  it('has a button that acknowledges trouble of others, and shows what a person knows of', async () => {
    const trouble = { since: at(-dayMs), code: 'Unreachable', words: 'connect ECONNREFUSED' };
    lab.operations = { passes: {}, clusters: { lab: trouble } };
    const { endpoint, event, question } = buttonOf(await showPage(lab), 'Acknowledge for 7 days');
    expect(endpoint).toBe(endpoints.status);
    expect(question).toContain('cluster/lab');
    const { acknowledge: known } = parseStatusEvent(event);
    expect(known?.subjects).toEqual(['cluster/lab']);
    const until = at(known?.forMs ?? 0);
    const acknowledged = { until, reason: 'ClusterFailing', words: known?.words ?? '' };
    const note = {
      health: 'Degraded',
      reason: 'ClusterFailing',
      since: at(-dayMs),
      told: [],
      acknowledged,
    } as const;
    lab.notes = { began: at(-dayMs), subjects: { 'cluster/lab': note } };
    const page = await showPage(lab);
    expect(textOf(page)).toMatch(
      /Suspended cluster lab: Acknowledged .*acknowledged until 2026-11-29 10:00 \(acknowledged on the dashboard\): connect/,
    );
    expect(page).not.toContain('Acknowledge for 7 days');
    expect(parseStatusEvent(buttonOf(page, 'End the acknowledgement').event).acknowledge).toMatchObject({
      subjects: ['cluster/lab'],
      forMs: 0,
    });
    lab.broken.add('notes');
    expect(textOf(await showPage(lab)), 'without the notes all else is there').toContain(
      'Degraded cluster lab',
    );
  });

  it('has no button for what nobody can acknowledge', async () => {
    fill();
    expect(await showPage(lab, { certificate: 'ended' })).not.toContain('Acknowledge for');
    expect(await showPage(lab, { certificate: 'shop' })).not.toContain('Acknowledge for');
  });

  it('finds by name, DNS name, target and reason, with the health that the form says', async () => {
    fill();
    const rowsFor = async (event: object) => {
      const page = await showPage(lab, event);
      return [...page.matchAll(/<th role="rowheader"[^>]*><button[^>]*><bdi>([^<]*)/g)].map(
        ([, name]) => name,
      );
    };
    const form = (search: string, health = '') => ({
      widgetContext: { forms: { all: { 'certrelay-search': search, 'certrelay-health': health } } },
    });
    expect(await rowsFor(form('SHOP.example'))).toEqual(['shop']);
    expect(await rowsFor(form('lab/shop/shop-tls'))).toEqual(['ended']);
    expect(await rowsFor(form('expired'))).toEqual(['ended']);
    expect(await rowsFor(form('example.com', 'Suspended'))).toEqual(['paused']);
    // A button says more than the form that stands beside it.
    expect(await rowsFor({ ...form('shop'), search: '', health: 'Healthy' })).toEqual(['shop']);
    expect(textOf(await showPage(lab, form('nothing')))).toContain('No certificate matches this search.');
  });

  it('has fifty certificates a page, and goes on from a page that is over to the last', async () => {
    for (let index = 0; index < 120; index += 1) lab.keep(`name-${String(index).padStart(3, '0')}`);
    const page = await showPage(lab, { page: 2 });
    expect(textOf(page)).toContain('120 certificates, the worst first. Page 2 of 3');
    expect(page).toContain('name-050.example.com');
    expect(page).not.toContain('name-049.example.com');
    expect(buttonOf(page, 'Next')).toMatchObject({ endpoint: endpoints.dashboard, event: { page: 3 } });
    expect(textOf(await showPage(lab, { page: 99 }))).toContain('Page 3 of 3');
    const filtered = await showPage(lab, { page: 99, search: 'name-1' });
    expect(textOf(filtered)).toContain('20 certificates, the worst first.');
    expect(buttonOf(filtered, 'name-100')).toMatchObject({
      event: { search: 'name-1', health: '', page: 1, certificate: 'name-100' },
    });
  });

  it('has a calendar of the next 90 days, without what nobody renews', async () => {
    lab.keep('shop');
    lab.keep('short', { notBefore: at(-4 * dayMs), notAfter: at(2 * dayMs) });
    lab.keep('paused', { pausedSince: at(-dayMs) });
    const page = await showPage(lab);
    expect(page).toMatch(
      /<td role="cell" title="shop(, short)?"><time datetime="2026-12-07">12-07<\/time> <b>\d<\/b>/,
    );
    expect(page).not.toMatch(/title="[^"]*paused[^"]*"><time/);
    const days = [...page.matchAll(/<time datetime="(\d{4}-\d\d-\d\d)">/g)].map(([, day]) => day);
    expect([days.length, days[0], days.at(-1)]).toEqual([90, '2026-11-22', '2027-02-19']);
    expect(textOf(page)).toMatch(/The next 90 days: \d+ renewals, 1 of them overdue/);
  });
});

it('a certificate’s page tells a pause and offers to end it while it lasts, and to pause once it has ended by itself', async () => {
  for (const [end, offered, shown] of [
    [at(dayMs), 'End the pause', 'Paused since 2026-11-21 10:00, until 2026-11-23 10:00: we move'],
    [at(0), 'Pause', undefined],
  ] as const) {
    lab.stored('held', {
      source: 'import',
      pausedSince: at(-dayMs),
      pauseReason: `until ${end.toISOString()}: we move`,
    });
    const page = await showPage(lab, { certificate: 'held' });
    expect(buttonOf(page, offered)).toMatchObject({ endpoint: endpoints.pause });
    expect(textOf(page).match(/Paused since (?!.*Paused since).*?we move/)?.[0]).toBe(shown);
  }
});

const nasty = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></cwdb-action><iframe src=//x>',
  '\u001b[31mred\u001b[0m\r\nnext',
  '\u202eevil\u2066bidi\u200b',
  'é\ud800` and more',
  'a'.repeat(5_000),
].join(' ');

describe('text of strangers', () => {
  it.each([{}, { certificate: 'shop' }])('is shown escaped, without what controls, on %j', async (event) => {
    lab.stored('shop', {
      source: 'registration',
      domains: [nasty, `*.${nasty}`],
      error: nasty,
      failures: 3,
      nextAttempt: at(dayMs),
      issuer: `https://${nasty}`,
      problem: { since: at(-3 * dayMs), code: nasty, words: nasty },
      pausedSince: at(-dayMs),
      pauseReason: nasty,
    });
    lab.operations = { passes: {}, clusters: { lab: { since: at(-dayMs), code: nasty, words: nasty } } };
    const page = await showPage(lab, event);
    expect(textOf(page)).toContain('<script>alert(1)</script>');
    const allowed =
      `a b bdi button code cwdb-action dd details summary div dl dt form h2 h3 i input label li nav option p path circle rect
      select span strong style svg table tbody td th thead time tr ul`.split(/\s+/);
    const elements = elementsOf(page.replace(/<style>.*?<\/style>/gs, '<style>'));
    expect(elements.map(({ name }) => name).filter((name) => !allowed.includes(name))).toEqual([]);
    expect(
      elements.filter(({ attributes }) =>
        /\bon\w+=|javascript:|\b(src|href)=/i.test(attributes.replace(/"[^"]*"/g, '""')),
      ),
    ).toEqual([]);
    expect(page.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(page).not.toContain('a'.repeat(2_001));
  });

  it('that a person searches for comes back into the form as text', async () => {
    lab.keep('shop');
    const search = nasty.slice(0, 150);
    const page = await showPage(lab, { search });
    expect(elementsOf(page).filter(({ name }) => name === 'script' || name === 'img')).toEqual([]);
    expect(page).toContain('value="&lt;script&gt;alert(1)&lt;/script&gt; &quot;&gt;&lt;img');
    // What the buttons to other pages send is JSON also after a browser has read it as HTML.
    expect(buttonOf(page, 'Show all').event).toEqual({ search: '', health: '', page: 1 });
  });
});

describe('the page keeps to what CloudWatch shows', () => {
  it('no script, frame, reference or link, and its names would not be taken for parts of a document', async () => {
    fill();
    for (const event of [{}, { certificate: 'ended' }, { search: 'x' }]) {
      const page = await showPage(lab, event);
      for (const { name, attributes } of elementsOf(page)) {
        expect(['script', 'iframe', 'use', 'object', 'embed', 'link', 'base', 'meta']).not.toContain(name);
        expect(attributes).not.toMatch(/\b(on\w+|href|src|srcdoc|action|formaction)="(?!call")/);
        expect(attributes).not.toMatch(/\b(id|name)="(?!certrelay-)/);
      }
    }
  });

  it('follows the theme of the dashboard', async () => {
    lab.keep('shop');
    expect(await showPage(lab, { widgetContext: { theme: 'dark' } })).toContain('class="certrelay dark"');
    const forms = { all: { 'certrelay-search': 'shop', other: 3 } };
    expect(await showPage(lab, { widgetContext: { theme: 'sepia', forms } })).toContain('value="shop"');
    for (const widgetContext of [{ theme: 'light' }, { theme: 'x"><b>' }, { forms: 3 }, 'x', []])
      expect(await showPage(lab, { widgetContext })).toContain('class="certrelay light"');
  });

  it('is described in Markdown', () => {
    expect(widgetDocs).toMatch(/^## .*\n\n.*### Parameters.*``` yaml\n/s);
  });
});
