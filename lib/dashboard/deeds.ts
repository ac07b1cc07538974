// The buttons of a certificate's page that change something. IAM of the person who clicks decides.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { pauseOf } from '../policy/issuance/pause.ts';
import type { CertificateState } from '../state/state.ts';
import { deedButton, type Endpoints } from './actions.ts';
import { type Html, html } from './html.ts';

/** Reason that is noted of a pause by the button. */
const pauseReason = 'paused on the dashboard';

/** The buttons that fit the certificate. */
export function renderDeeds(
  { name, reason }: Pick<CertificateHealth, 'name' | 'reason'>,
  state: Pick<CertificateState, 'pausedSince' | 'pauseReason' | 'nextAttempt' | 'freeze'> & {
    readonly at: Date;
  },
  { issue, deploy, pause }: Endpoints,
): Html {
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
  ].filter((button) => button !== undefined);
  if (buttons.length === 0) return html``;
  return html`<div class="deeds" role="group" aria-label="What you can do">${buttons}</div>`;
}
