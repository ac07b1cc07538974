// The page of an installation as the function makes it, and what a browser would read in it.
import { renderDashboard } from '../../lib/dashboard/dashboard.ts';
import { parseDashboardEvent } from '../../lib/requests/dashboard.ts';
import { lookAtInstallation, readNotes } from '../../lib/status/look.ts';
import type { StatusLab } from '../status/harness.ts';

const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:certrelay-dev-${name}`;

/** The functions that buttons call. */
export const endpoints = {
  dashboard: arn('dashboard'),
  issue: arn('issue'),
  deploy: arn('deploy'),
  pause: arn('pause'),
  status: arn('status'),
};

/** The page that an event is answered with. */
export async function showPage(lab: StatusLab, event: object = {}): Promise<string> {
  const { notes, publicKey: _, putEvents: __, notices: ___, ...own } = lab.ports();
  const stored = {
    read: async (signal: AbortSignal) => {
      if (lab.broken.has('notes')) throw new Error('notes broke');
      return notes.read(signal);
    },
  };
  const ports = {
    ...own,
    notes: { read: (signal: AbortSignal) => readNotes({ notes: stored, log: own.log }, signal) },
  };
  const request = parseDashboardEvent(event);
  const named = request.certificate === undefined ? {} : { certificates: [request.certificate] };
  const look = await lookAtInstallation(ports, { ...lab.invocation(), ...named });
  return renderDashboard({ installation: 'certrelay', ...look }, request, endpoints);
}

/** The elements of a page, each with its attributes as they are written. */
export function elementsOf(page: string): readonly { readonly name: string; readonly attributes: string }[] {
  return [...page.matchAll(/<([a-z][\w-]*)([^<>]*)>/gi)].map(([, name = '', attributes = '']) => ({
    name: name.toLowerCase(),
    attributes,
  }));
}

/** The text of a page, without its style and what its buttons send. */
export function textOf(page: string): string {
  return page
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<cwdb-action[^>]*>.*?<\/cwdb-action>/gs, '')
    .replace(/<\/?(time|bdi|strong|span|svg|path|circle)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');
}

/** What the button with a label calls, asks and sends. @throws Error if there is no such button. */
export function buttonOf(
  page: string,
  label: string,
): { readonly endpoint: string; readonly question?: string | undefined; readonly event: unknown } {
  const buttons = page.matchAll(
    /<button[^>]*>((?:(?!<\/button>).)*)<\/button><cwdb-action([^>]*)>([^<]*)<\/cwdb-action>/gs,
  );
  for (const [, inside = '', attributes = '', json = ''] of buttons) {
    if (textOf(inside).trim() !== label) continue;
    const attribute = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1];
    return {
      endpoint: attribute('endpoint') ?? '',
      question: attribute('confirmation'),
      event: JSON.parse(json),
    };
  }
  throw new Error(`no button is called ${label}: ${textOf(page)}`);
}
