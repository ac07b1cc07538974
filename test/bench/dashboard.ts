// Measures the page of the dashboard over very many certificates.
import { renderDashboard } from '../../lib/dashboard/dashboard.ts';
import { parseDashboardEvent } from '../../lib/requests/dashboard.ts';
import { lookAtInstallation } from '../../lib/status/look.ts';
import { endpoints } from '../dashboard/harness.ts';
import { makeMany } from '../dashboard/installation.ts';
import { type Figure, median } from './figure.ts';

const many = 10_000;
const repeats = 5;

/** The first page over 10,000 certificates: its size, and the time beside AWS's lists. */
export async function benchDashboard(): Promise<readonly Figure[]> {
  const lab = makeMany(many);
  const { notes: _, publicKey: __, putEvents: ___, notices: ____, ...ports } = lab.ports();
  const request = parseDashboardEvent({});
  const invocation = lab.invocation();
  // AWS's lists are read before the clock starts.
  const entries = await lab.store.list(invocation.signal);
  const store = { ...ports.store, list: async () => entries };
  const times: number[] = [];
  let page = '';
  for (let turn = 0; turn <= repeats; turn += 1) {
    const startedAt = performance.now();
    const look = await lookAtInstallation({ ...ports, store }, invocation);
    page = renderDashboard({ installation: 'certrelay', ...look }, request, endpoints);
    // The first one compiles.
    if (turn > 0) times.push(performance.now() - startedAt);
  }
  const what = `dashboard over ${many} certificates, first page`;
  return [
    { what: `${what}: bytes of HTML`, unit: 'count', target: 100_000, measured: Buffer.byteLength(page) },
    { what: '  own time, beside the lists', unit: 'ms', target: 300, measured: median(times) },
  ];
}
