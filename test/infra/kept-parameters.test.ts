// What a deploy keeps of what earlier ones were given by --param alone.
import { describe, expect, test } from 'vitest';
import { prepareDeploy } from '../../infra/deploy/before-deploy.ts';
import { writeRemembered } from '../../infra/deploy/kept-parameters.ts';
import { applyPreparation } from '../../infra/deploy/preparation.ts';
import { top } from '../docs/markdown.ts';
import { providerOf, startCloudFormation, templateWith } from './cloudformation.ts';

describe('what was given by --param alone', () => {
  const hours = 'rate(2 hours)';
  const remembered = {
    logLevel: { value: 'debug', instead: 'info' },
    hostedZones: { value: 'Z0123456789ABCDEFGHIJ', instead: '' },
  };
  const params = { default: { logLevel: 'info', issueRate: 'rate(6 hours)' }, prod: { probeRate: hours } };

  const dollar = '$';

  /** A deploy over what is deployed, with these `--param` and serverless.yml. */
  async function prepare(
    deployed: unknown,
    options: readonly string[],
    file: Readonly<Record<string, unknown>> = params,
    others: Readonly<Record<string, unknown>> = {},
  ) {
    const template = { ...JSON.parse(templateWith('certrelay')), Metadata: deployed };
    const aws = await startCloudFormation({ template: JSON.stringify(template) });
    const call = {
      command: 'package',
      serviceDir: top,
      configurationFile: 'serverless.yml',
      params: file,
      configuredRegion: 'eu-central-1',
      options: { param: [...options], ...others },
      env: {},
    };
    const prepared = await prepareDeploy(call, providerOf(aws, 'prod'));
    if ('refusal' in prepared) throw new Error(prepared.refusal);
    const set: Record<string, string> = {};
    const extendConfiguration = (path: readonly string[], value: string) => {
      set[path.join('.')] = value;
    };
    applyPreparation({ extendConfiguration }, prepared, call, 'prod');
    const { 'params.default.prefix': _, 'params.default.eventBus': __, 'provider.region': ___, ...own } = set;
    const { remembered: next = {}, notes = [] } = prepared;
    return { set: own, next, notes: notes.join('\n') };
  }

  test('is remembered, and kept by the next deploy, which says so', async () => {
    const first = await prepare(undefined, [
      'logLevel=debug',
      'hostedZones=Z0123456789ABCDEFGHIJ',
      'moved=no',
    ]);
    expect(first).toMatchObject({ set: {}, next: remembered, notes: '' });
    const second = await prepare(writeRemembered(first.next), []);
    expect(second).toMatchObject({
      set: { 'params.default.logLevel': 'debug', 'params.default.hostedZones': 'Z0123456789ABCDEFGHIJ' },
      next: remembered,
    });
    expect(second.notes).toMatch(
      /^Kept from the deployed stack, .*logLevel=debug, hostedZones=Z0.*="forget=logLevel"/,
    );
  });

  test('counts before what serverless.yml says for the stage, too', async () => {
    const first = await prepare(undefined, ['probeRate=rate(3 hours)']);
    const second = await prepare(writeRemembered(first.next), []);
    expect(second.set).toMatchObject({ 'params.prod.probeRate': 'rate(3 hours)' });
  });

  test.for([
    ['another value', ['logLevel=warn'], params, { value: 'warn', instead: 'info' }],
    ['the value of serverless.yml', ['logLevel=info'], params, undefined],
    ['that it is forgotten', ['forget=issueRate, logLevel'], params, undefined],
    ['nothing, and serverless.yml another value', [], { default: { logLevel: 'warn' } }, undefined],
    ['nothing, and serverless.yml the same for the stage', [], { prod: { logLevel: 'debug' } }, undefined],
  ] as const)('is kept no longer once a deploy says %s', async ([, options, file, next]) => {
    const found = await prepare(writeRemembered(remembered), options, file);
    expect(found.next.logLevel).toEqual(next);
    expect(found.set).toEqual({ 'params.default.hostedZones': 'Z0123456789ABCDEFGHIJ' });
  });

  test('is all forgotten at once', async () => {
    expect(await prepare(writeRemembered(remembered), ['forget=all'])).toMatchObject({
      set: {},
      next: {},
      notes: '',
    });
  });

  test('is not kept if nobody reads it any more or it has become wrong, which is said', async () => {
    const deployed = {
      issueRte: { value: 'rate(1 hour)', instead: '' },
      statusRate: { value: 'often\u001b[2J', instead: '' },
    };
    const { set, next, notes } = await prepare(writeRemembered(deployed), []);
    expect([set, next]).toEqual([{}, {}]);
    expect(notes).toMatch(/not kept from the deployed stack: "issueRte"[\s\S]*not kept .*statusRate/);
    expect(notes).not.toContain('\u001b');
  });

  test('is not kept once serverless.yml ships another value, which is said with what keeps it', async () => {
    const { notes } = await prepare(writeRemembered(remembered), [], { default: { logLevel: 'warn' } });
    expect(notes).toContain(
      'no longer kept: logLevel=debug, because serverless.yml says warn now; to have it again: --param="logLevel=debug"',
    );
    const same = await prepare(writeRemembered(remembered), [], { default: { logLevel: 'debug' } });
    expect(same.notes).not.toContain('logLevel');
  });

  test('reads no variable of whoever deploys, and remembers none', async () => {
    const deployed = { logLevel: { value: `${dollar}{env:TOKEN}`, instead: 'info' } };
    const { set, next, notes } = await prepare(writeRemembered(deployed), []);
    expect([set, next]).toEqual([{}, {}]);
    expect(notes).toBe('not kept from the deployed stack: logLevel, which is a variable there');
    const given = await prepare(undefined, [`logLevel=${dollar}{env:LEVEL}`]);
    expect(given.next).toEqual({});
    expect(given.notes).toContain('the next deploy will not have logLevel');
  });

  test('a name that nobody keeps cannot be forgotten', async () => {
    const deployed = writeRemembered(remembered);
    await expect(prepare(deployed, ['forget=hostedZone'])).rejects.toThrow(
      '"hostedZone" (forget) is not a parameter; did you mean hostedZones?',
    );
    await expect(prepare(deployed, ['forget=alarmEmail'])).rejects.toThrow(
      'forget: alarmEmail is kept in another way; give it again instead',
    );
  });

  test('a deploy of a package says of no parameter that it is kept', async () => {
    const found = await prepare(writeRemembered(remembered), [], params, { package: 'artifacts' });
    expect(found.notes).toBe('');
  });

  test.each([
    undefined,
    'x',
    { Certrelay: { parameters: { logLevel: { value: ['debug'], instead: 'info' } } } },
  ])('is nothing in a stack of an earlier version or of another form (%#)', async (deployed) => {
    expect(await prepare(deployed, [])).toMatchObject({ set: {}, next: {}, notes: '' });
  });
});
