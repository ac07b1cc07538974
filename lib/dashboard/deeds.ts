// The buttons of a certificate's page that change something. IAM of the person who clicks decides.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { OtherHealth } from '../policy/health/others.ts';
import { mayAcknowledge } from '../policy/health/reasons.ts';
import { pauseOf } from '../policy/issuance/pause.ts';
import type { CertificateState } from '../state/state.ts';
import { deedButton, type Endpoints } from './actions.ts';
import { type Html, html } from './html.ts';

/** How long the button acknowledges a trouble for, and the reason that is noted. */
const acknowledgement = { for: '7d', reason: 'acknowledged on the dashboard' } as const;

/** The button that acknowledges a trouble, or ends that; `undefined` where there is nothing to acknowledge.
 *  @param key A certificate's name, or `cluster/prod`. */
export function acknowledgeButton(
  key: string,
  { health, reason }: Pick<OtherHealth, 'health' | 'reason'>,
  { status: endpoint }: Endpoints,
): Html | undefined {
  if (reason === 'Acknowledged')
    return deedButton({
      label: 'End the acknowledgement',
      endpoint,
      event: { acknowledge: [key], for: '0h' },
      question: `Have people told of ${key} again?`,
    });
  if (health !== 'Degraded' || !mayAcknowledge(reason)) return undefined;
  return deedButton({
    label: 'Acknowledge for 7 days',
    endpoint,
    event: { acknowledge: [key], ...acknowledgement },
    question: `Say that you know of the trouble of ${key}, so that it rings nobody for 7 days?`,
  });
}

/** Reason that is noted of a pause by the button. */
const pauseReason = 'paused on the dashboard';

/** The buttons that fit the certificate. */
export function renderDeeds(
  { name, health, reason }: Pick<CertificateHealth, 'name' | 'health' | 'reason'>,
  state: Pick<CertificateState, 'pausedSince' | 'pauseReason' | 'nextAttempt' | 'freeze'> & {
    readonly at: Date;
  },
  endpoints: Endpoints,
): Html {
  const { issue, deploy, pause } = endpoints;
  const certificates = [name];
  const force = state.nextAttempt ? { force: true } : {};
  const buttons = [
    deedButton({
      label: 'Order if due',
      endpoint: issue,
      event: { certificates, ...force, enqueue: true },
      question: `Have issue look at ${name} now, and order it if it is due?`,
    }),
    deedButton({
      label: 'Deliver',
      endpoint: deploy,
      event: { certificates, enqueue: true },
      question: `Deliver ${name} to its targets now? Workloads that use it may restart.`,
    }),
    state.freeze || reason === 'TakenBack'
      ? deedButton({
          label: 'Deliver the frozen version',
          endpoint: deploy,
          event: { certificates, resume: true, enqueue: true },
          question: `Deliver the frozen version of ${name} again?`,
        })
      : undefined,
    pauseOf(state, state.at)
      ? deedButton({
          label: 'End the pause',
          endpoint: pause,
          event: { certificates, resume: true },
          question: `Let ${name} be ordered again?`,
        })
      : deedButton({
          label: 'Pause',
          endpoint: pause,
          event: { certificates, reason: pauseReason },
          question: `Keep ${name} from being ordered until somebody ends the pause?`,
        }),
    acknowledgeButton(name, { health, reason }, endpoints),
  ].filter((button) => button !== undefined);
  if (buttons.length === 0) return html``;
  return html`<div class="deeds" role="group" aria-label="What you can do">${buttons}</div>`;
}
