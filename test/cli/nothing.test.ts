// What commands say where there is nothing, so that silence is no riddle; and commands that can be pasted.
import { expect, it } from 'vitest';
import { answering, certrelay } from './harness.ts';

const empty = { summary: {}, certificates: [] };

it.each([
  ['renew', 'nothing to do: neither the inventory nor a registration asks for a certificate'],
  ['deploy', 'nothing to do: neither the inventory nor a registration asks for a certificate'],
  ['deploy --cluster lab', 'nothing to do: no certificate goes there'],
  ['plan', 'nothing to do: neither the inventory nor a registration asks for a certificate'],
  ['probe', 'nothing to do: neither the inventory nor a registration asks for a certificate'],
  ['list', 'there are no certificates'],
])('%s says that there is nothing, on stderr and not if only names are wanted', async (line, words) => {
  const lambda = await answering(empty);
  expect(await certrelay(line, lambda)).toMatchObject({ code: 0, out: '', err: `${words}\n` });
  expect(await certrelay(`${line} -q`, lambda)).toMatchObject({ code: 0, out: '', err: '' });
});

it.each(['renew', 'deploy', 'plan', 'probe', 'list'])('%s that failed says that alone', async (line) => {
  const failures = [{ what: 'issue', code: 'Throttled', message: 'why' }];
  const lambda = await answering({ ...empty, ok: false, failures });
  const { code, err } = await certrelay(line, lambda);
  expect({ code, err }).toEqual({ code: 1, err: 'issue: Throttled: why\n' });
});

it('deploy that hands clusters on has something to do', async () => {
  const { err } = await certrelay('deploy', await answering({ ...empty, handedOn: ['lab'] }));
  expect(err).toBe('in invocations of their own: lab; "npx certrelay status" shows how they end\n');
});

it('forecast names the command for what ends too soon, of the stage that was asked', async () => {
  const late = { certificate: 'shop', notAfter: '2026-12-02T12:00:00Z', orderedAt: '2026-12-04T12:00:00Z' };
  const lateOrders = { list: [late], omitted: 0 };
  const lambda = await answering({ summary: {}, days: [], lateOrders });
  const { code, err } = await certrelay('forecast --stage prod', lambda);
  expect(code).toBe(1);
  expect(err).toMatch(
    /before a newer one is there\nto go on, run:\n {2}npx certrelay status --stage prod\n$/,
  );
});
