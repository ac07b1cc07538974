// What contributors and their tools read beside the code: CI, forms for issues, updates, editors.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { functionNames } from './function-names.ts';

const top = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(top, path), 'utf8');

const workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({ steps: z.array(z.object({ uses: z.string().optional(), run: z.string().optional() })) }),
  ),
});
const form = z.object({
  name: z.string(),
  description: z.string(),
  body: z.array(
    z.object({
      id: z.string().optional(),
      type: z.string(),
      validations: z.object({ required: z.boolean() }).optional(),
    }),
  ),
});

describe('CI', () => {
  const workflows = readdirSync(join(top, '.github/workflows')).map((name) =>
    workflow.parse(parse(read(`.github/workflows/${name}`))),
  );
  const steps = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap((job) => job.steps));

  it('runs what everybody can run: .ci/run, and no command beside it', () => {
    expect(steps.flatMap(({ run }) => run ?? [])).toEqual(['.ci/run']);
  });

  it('may read the repository and do no more', () => {
    for (const { permissions } of workflows) expect(permissions).toEqual({ contents: 'read' });
  });

  it('takes actions of GitHub only, by major version or by commit', () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.filter((one) => !/^actions\/[a-z-]+@(v\d+|[0-9a-f]{40})$/.test(one))).toEqual([]);
  });

  it('updates npm and its actions by groups, weekly', () => {
    const entry = z.object({
      'package-ecosystem': z.string(),
      schedule: z.object({ interval: z.literal('weekly') }),
      groups: z.record(z.string(), z.unknown()),
    });
    const { updates } = z.object({ updates: z.array(entry) }).parse(parse(read('.github/dependabot.yml')));
    expect(updates.map((one) => one['package-ecosystem']).toSorted()).toEqual(['github-actions', 'npm']);
  });
});

describe('reporting', () => {
  it('a bug names version, stage and log line, and a secret is asked of nobody', () => {
    const text = read('.github/ISSUE_TEMPLATE/bug.yml');
    const required = form.parse(parse(text)).body.filter(({ validations }) => validations?.required);
    expect(required.map(({ id }) => id)).toEqual(expect.arrayContaining(['version', 'stage', 'log']));
    expect(text).toContain('Paste no private keys');
  });

  it('a bug names its part, be it any function or the agent', () => {
    const { body } = z
      .object({ body: z.array(z.looseObject({ id: z.string().optional(), attributes: z.looseObject({}) })) })
      .parse(parse(read('.github/ISSUE_TEMPLATE/bug.yml')));
    const part = body.find(({ id }) => id === 'part');
    expect(part?.attributes.options).toEqual(expect.arrayContaining([...functionNames, 'agent']));
  });

  it('a feature starts from what one has to do today', () => {
    const { body } = form.parse(parse(read('.github/ISSUE_TEMPLATE/feature.yml')));
    expect(body[0]?.id).toBe('problem');
  });

  it('a vulnerability has a private way, which the forms and the guide name', () => {
    expect(read('.github/SECURITY.md')).toContain('Report a vulnerability');
    for (const path of ['ISSUE_TEMPLATE/bug.yml', 'CONTRIBUTING.md'])
      expect(read(`.github/${path}`)).toContain('SECURITY.md');
  });
});

it('editors indent and break as Biome formats', () => {
  const biome = z
    .object({
      formatter: z.object({ indentStyle: z.string(), indentWidth: z.number(), lineWidth: z.number() }),
    })
    .parse(JSON.parse(read('biome.json')));
  const [everywhere = ''] = read('.editorconfig').split('[*.md]');
  const value = (key: string) => new RegExp(`^${key} = (.+)$`, 'm').exec(everywhere)?.[1];
  expect({
    indentStyle: value('indent_style'),
    indentWidth: Number(value('indent_size')),
    lineWidth: Number(value('max_line_length')),
  }).toEqual(biome.formatter);
});
