// `certrelay check`: looks whether an installation has all that it needs.

import { listOf, textOf } from '../answer.ts';
import { checkCaller, checkLimits } from '../check/account.ts';
import { connectAws } from '../check/aws.ts';
import { callFunctions, lookAtClusters, lookAtDns } from '../check/calls.ts';
import { type CheckedPart, type PartVerdict, unseen } from '../check/part.ts';
import { checkCertificates, checkJudged, checkOrders, checkZones } from '../check/reports.ts';
import { checkStack } from '../check/stack.ts';
import { checkTopic } from '../check/topic.ts';
import { checkWebhook } from '../check/webhook.ts';
import { showPaths } from '../checkout.ts';
import type { RunCommand } from '../definitions.ts';
import { exitCodes } from '../errors.ts';
import { findInventory } from '../inventory-file.ts';
import { findPlace, placeCommands } from '../place.ts';
import { printResult } from '../print.ts';
import type { CommandSession } from '../session.ts';
import type { TableStyle } from '../table.ts';
import { type Colour, paint, wrapText } from '../text.ts';

/** Runs it. It changes nothing. */
export const run: RunCommand = async (session) => {
  const { cwd } = session.terminal;
  placeCommands(session);
  const parts = (await checkAll(session)).map((part) => ({ ...part, message: showPaths(part.message, cwd) }));
  const problems = parts.filter(({ verdict }) => verdict === 'problem');
  await printResult(session, {
    data: { ok: problems.length === 0, parts },
    text: (style) => formatParts(parts, style),
    names: problems.map(({ part }) => part),
  });
  return problems.length === 0 ? exitCodes.fine : exitCodes.failed;
};

async function checkAll(session: CommandSession): Promise<readonly CheckedPart[]> {
  const { options, terminal, signal } = session;
  const aws = await connectAws(findPlace(options, terminal.env), terminal.env, signal);
  try {
    const [caller, limits, { parts: stackParts, stack }, { answers, parts: called }] = await Promise.all([
      checkCaller(aws),
      checkLimits(aws),
      checkStack(aws),
      callFunctions(session),
    ]);
    const { status } = answers;
    const prefix = status ? textOf(status, 'installation') : '';
    const isUsed = () => hasRegistration(session);
    const [webhook, alarms, dns, clusters] = await Promise.all([
      prefix === ''
        ? unseen('webhook', 'status did not say the prefix of AWS secrets')
        : checkWebhook(aws, prefix, isUsed),
      stack
        ? checkTopic(aws, stack.topic, status ? listOf(status, 'channels').length : 0)
        : unseen('alarms', 'their topic is read from the stack, which could not be looked at'),
      lookAtDns(session, answers),
      lookAtClusters(session, answers),
    ]);
    signal.throwIfAborted();
    const told = checkZones(dns.lines);
    const said = new Set(told.map(({ part }) => part));
    const orders = status ? checkOrders(status).filter(({ part }) => !said.has(part)) : [];
    return [
      caller,
      ...stackParts,
      ...called,
      ...clusters.filter(isFunction),
      ...dns.parts,
      ...told,
      ...orders,
      ...(status ? [checkCertificates(status)] : []),
      ...clusters.filter((part) => !isFunction(part)),
      ...(status ? checkJudged(status) : []),
      webhook,
      alarms,
      limits,
    ];
  } finally {
    aws.close();
  }
}

function isFunction({ part }: CheckedPart): boolean {
  return part.startsWith('function/');
}

/** Whether the inventory of this checkout lets the webhook take requests; where it cannot be read, it may. */
async function hasRegistration({ terminal }: CommandSession): Promise<boolean> {
  const { readInventory } = await import('../../inventory/read-inventory.ts');
  const inventory = await readInventory(findInventory(undefined, terminal.env)).catch(() => undefined);
  return inventory === undefined || inventory.registration !== undefined;
}

const colours: Readonly<Record<PartVerdict, Colour>> = { ok: 'green', problem: 'red', unknown: 'yellow' };
const verdictWidth = 'problem'.length;

function formatParts(parts: readonly CheckedPart[], style: TableStyle): string {
  const width = parts.reduce((most, { part }) => Math.max(most, part.length), 0);
  return parts.map((part) => format(part, width, style)).join('');
}

/** `ok       stack  …`, with the message in as many lines as it needs. */
function format({ part, verdict, message }: CheckedPart, partWidth: number, style: TableStyle): string {
  const indent = verdictWidth + partWidth + 4;
  const room = style.width === undefined ? Number.MAX_SAFE_INTEGER : style.width - indent;
  const isNarrow = room < 24;
  const word = verdict.padEnd(verdictWidth);
  const shown = style.isColoured ? paint(word, colours[verdict]) : word;
  const lines = wrapText(message, isNarrow ? Math.max(10, (style.width ?? 80) - 2) : room);
  const space = ' '.repeat(isNarrow ? 2 : indent);
  if (isNarrow) return [`${shown}  ${part}`, ...lines.map((line) => `${space}${line}`), ''].join('\n');
  return [`${shown}  ${part.padEnd(partWidth)}  ${lines.join(`\n${space}`)}`, ''].join('\n');
}
