// The check of a discovered certificate that no object asks for any more. It is renewed all the same.
import { invokeCommand } from '../commands.ts';
import { describeGone, isKeptByPerson } from '../retirement/gone.ts';
import type { HealthFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** How long nobody says anything: an object may be replaced by another one. */
const quietMs = 86_400_000;

/** How long a certificate that is retired by itself may take for that. */
const longestCountMs = 14 * 86_400_000;

/** `Abandoned` after a day. `Degraded`, because a person must decide; `Suspended` while the inventory has
 *  such certificates retired by themselves. One that was never issued is `Unused`. */
export function findGone({
  name,
  spec,
  state,
  isIssued,
  retiresGone,
  now,
}: HealthFacts): Finding | undefined {
  const { gone, retire } = state;
  if (spec || state.source !== 'discovery' || !gone || isKeptByPerson({ gone, retire })) return undefined;
  const sinceMs = now.getTime() - gone.since.getTime();
  if (sinceMs < quietMs) return undefined;
  const said = describeGone({ gone, retire }, retiresGone);
  const { since } = gone;
  const letGo = invokeCommand('retire', { certificates: [name], dryRun: true });
  if (!isIssued) {
    const message = `${said}; it was never issued: let it go if nobody needs it`;
    return { health: 'Suspended', reason: 'Unused', message, since, command: letGo };
  }
  const known = invokeCommand('status', { acknowledge: [name], for: '30d', reason: 'needed' });
  const message = `${said}: let an object ask again, or write it into the inventory under this name and deploy; if it is to go, let it go (${letGo}); if it is needed as it is, say so (${known})`;
  const command = invokeCommand('discover', { dryRun: true });
  const isByItself = retiresGone && sinceMs < longestCountMs;
  return { health: isByItself ? 'Suspended' : 'Degraded', reason: 'Abandoned', message, since, command };
}
