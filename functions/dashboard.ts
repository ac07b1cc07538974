// Answers CloudWatch's widget with a page of HTML: how everything stands. It only reads, and no value of an
// AWS secret but the notes of `status`. Called by a dashboard of CloudWatch.
import { renderDashboard } from '../lib/dashboard/dashboard.ts';
import { widgetDocs } from '../lib/dashboard/docs.ts';
import { channelsOf } from '../lib/policy/notices/channels.ts';
import { parseDashboardEvent } from '../lib/requests/dashboard.ts';
import { lookAtInstallation, readNotes } from '../lib/status/look.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with HTML, or with Markdown that describes the widget. */
export const handler = defineFunction({
  name: 'dashboard',
  parse: parseDashboardEvent,
  connect(invocation, closing) {
    const { certificates: store, notes, ...secrets } = openSecrets(invocation, closing);
    const { agents, installation, operations } = secrets;
    const { clock, log } = invocation;
    const read = (signal: AbortSignal) => readNotes({ notes, log }, signal);
    return { store, agents, installation, operations, notes: { read }, clock, log };
  },
  async run(request, ports, { functionArn = '', settings, inventory, signal }) {
    if (request.describe) return { answer: widgetDocs };
    const { prefix: installation, staleAfterMs, intervals, buttonFunctions } = settings;
    const channels = channelsOf(inventory, settings);
    const certificates = request.certificate === undefined ? undefined : [request.certificate];
    const about = { certificates, inventory, channels, staleAfterMs, intervals, signal };
    const look = await lookAtInstallation(ports, about);
    const endpoints = { dashboard: functionArn, ...buttonFunctions };
    return { answer: renderDashboard({ installation, ...look }, request, endpoints) };
  },
});
