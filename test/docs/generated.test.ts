// Pages that are made from the code, or list what it has: they are as it is now, and lack nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readKnownParameters } from '../../infra/deploy/parameters.ts';
import { renderInventoryPage } from '../../infra/inventory/docs.ts';
import { eventSchemas } from '../../infra/template/event-schemas.ts';
import { functionNames } from '../function-names.ts';
import { readPage, top } from './markdown.ts';

const read = (path: string) => readFileSync(join(top, path), 'utf8');

/** The first cells of the rows of a section's tables, as the words in backticks there. */
function namedIn(path: string, heading: string): readonly string[] {
  const [, section = ''] = `\n${read(path)}`.split(`\n${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  return rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
}

describe('the page of the inventory', () => {
  it('has the tables that the schema gives; npm run docs writes them', () => {
    expect(read('docs/inventory.md')).toBe(renderInventoryPage(read('docs/inventory.md')));
  });

  it('would be refused without one of its tables, or with one that there is not', () => {
    const page = read('docs/inventory.md');
    expect(() => renderInventoryPage(page.replace('generated: dns', 'generated: dsn'))).toThrow(/called dsn/);
    expect(() => renderInventoryPage(page.replace(/<!-- generated: dns [\s\S]*?end -->/, ''))).toThrow(
      /lacks "<!-- generated: dns -->"/,
    );
  });
});

describe('the page of events', () => {
  it('has a row for each detail type, and each field of their details', () => {
    const page = 'docs/operating/events.md';
    const types = Object.keys(eventSchemas);
    expect(namedIn(page, '# Events').toSorted()).toEqual(expect.arrayContaining(types.toSorted()));
    const fields = new Set(Object.values(eventSchemas).flatMap(({ shape }) => Object.keys(shape)));
    const own = ['fingerprint', 'served'];
    const named = namedIn(page, '## Detail').map((name) => name.trim());
    expect([...named, 'omitted', ...own].toSorted()).toEqual([...fields].toSorted());
    for (const name of [...own, 'omitted']) expect(read(page)).toContain(`\`${name}\``);
  });

  it('shows a detail as the schema says', () => {
    const [sample = ''] = readPage('', read('docs/operating/events.md'))
      .blocks.map(({ text }) => text)
      .filter((text) => text.includes('"previousHealth"'));
    const { 'detail-type': type, detail } = JSON.parse(sample);
    expect(type).toBe('Certificate Health Changed');
    expect(eventSchemas['Certificate Health Changed'].safeParse(detail)).toMatchObject({ success: true });
  });
});

describe('the page of the configuration', () => {
  it('has a row for each parameter of serverless.yml, with its default', () => {
    const named = namedIn('docs/configuration.md', '## Parameters');
    const known = readKnownParameters(top, 'serverless.yml');
    expect(named.toSorted()).toEqual([...known].toSorted());
    const { params } = parse(read('serverless.yml'), { logLevel: 'silent' });
    for (const [name, value] of Object.entries(Object(params.default))) {
      const row = read('docs/configuration.md')
        .split('\n')
        .find((line) => line.startsWith(`| \`${name}\``));
      expect(row?.split('|')[2], name).toContain(`\`${String(value)}\``);
    }
  });

  it('has each variable that is read', () => {
    const settings = ['functions', 'agent'].map((name) => read(`lib/settings/${name}.ts`)).join('\n');
    const variables = new Set(
      [...settings.matchAll(/'(CERTRELAY_\w+|LOG_LEVEL)'/g)].map(([, name = '']) => name),
    );
    const pages = read('docs/configuration.md') + read('docs/agent.md');
    expect(variables.size).toBeGreaterThan(8);
    expect([...variables].filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
  });
});

it('the page of security has a row for each function', () => {
  const named = namedIn('docs/security.md', '## Roles');
  expect(functionNames.filter((name) => !named.includes(name))).toEqual([]);
});
