// The status story: judges how everything stands, by tags alone, and tells what has changed.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { CertrelayError, PartError } from '../ports/errors.ts';
import { createRefusal } from '../requests/unknown.ts';
import { acknowledge } from './acknowledge.ts';
import { listOthers } from './changes.ts';
import { readFacts } from './facts.ts';
import type { StatusInvocation, StatusPorts } from './invocation.ts';
import { createJudge } from './judge.ts';
import { makeReport, type StatusReport } from './report.ts';
import { tellChanges } from './tell.ts';

/** The report, and one error for each thing that is `Degraded`. A call over everything also tells what has
 *  changed since the last one, with an error if that fails; a call for some certificates only answers.
 *  @throws StoreError if the store cannot be listed. */
export async function describeStatus(
  ports: StatusPorts,
  invocation: StatusInvocation,
): Promise<{ readonly report: StatusReport; readonly problems: readonly Error[] }> {
  const { log } = ports;
  const asked = invocation.certificates;
  const { inventory, signal } = invocation;
  const [{ facts, unknown }, signingKey] = await Promise.all([
    readFacts(ports, invocation),
    ports.publicKey(signal),
  ]);
  const refuse = createRefusal({ inventory, store: ports.store, signal });
  const refusals = await mapConcurrently(unknown, 1, refuse);
  const judge = createJudge(facts);
  const judged = judge.everything();
  const failures = invocation.acknowledge
    ? await acknowledge(invocation.acknowledge, { judged, judge, facts, ports, invocation })
    : [];
  const isFull = asked === undefined && invocation.acknowledge === undefined;
  const untold = isFull ? await tellChanges({ judged, judge, facts, ports, invocation }) : [];
  const report = makeReport(judged, { installation: invocation.installation, at: facts.now, signingKey });
  for (const { name, reason, lastSeen, message } of judged.agents) {
    if (reason === 'AgentSilent') log.error('agent silent', { cluster: name, lastSeen, problem: message });
  }
  const { waitingForDns: _, ...counts } = report.summary;
  log.info('status finished', { ...counts, health: report.health, asked: asked?.length });
  const problems = [...refusals, ...failures, ...untold, ...(invocation.check ? findProblems(report) : [])];
  return { report, problems };
}

/** One error for each thing that is `Degraded`, with the next command. */
function findProblems(report: StatusReport): readonly Error[] {
  const certificates = report.certificates.map((health) => ({ title: health.name, health }));
  const others = listOthers(report).map(({ subject, health }) => ({
    title: `${subject.kind} ${subject.name}`,
    health,
  }));
  return [...others, ...certificates]
    .filter(({ health }) => health.health === 'Degraded')
    .map(
      ({ title, health: { reason, message, command } }) =>
        new PartError(title, new CertrelayError(reason, message), { command }),
    );
}
