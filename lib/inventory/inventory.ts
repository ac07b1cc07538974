// Parses and writes the user's inventory, `infra/certificates.yaml`.
import { dump } from 'js-yaml';
import type { CertificateSpec, Inventory, TargetSpec } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { findCrossMistakes } from './cross-checks.ts';
import { serializeDiscovery } from './discovery-fields.ts';
import { formatDuration } from './fields.ts';
import { serializeNotifications } from './notice-fields.ts';
import { findForeignSecrets } from './prefix.ts';
import { serializeAddresses, serializeProbe } from './probe-fields.ts';
import {
  formatPath,
  type InventoryMistake,
  type InventoryProblem,
  mistakesOf,
  parseManner,
  topLevel,
} from './problems.ts';
import { serializeRollout } from './rollout-fields.ts';
import { inventorySchema } from './schema.ts';
import { locateIn, readYaml, type YamlMistake } from './yaml.ts';

/** Longest text that is parsed, in characters. 10,000 certificates need about 3 MB. */
const maxLength = 16_000_000;

/** The inventory in a YAML text, with every default filled in; or all its
 *  mistakes, in the order of the file.
 *  @param prefix The installation's, where it is known: AWS secrets under another one are mistakes. */
export function parseInventory(
  text: string,
  prefix?: string,
): { readonly inventory: Inventory } | { readonly problems: readonly InventoryProblem[] } {
  if (text.length > maxLength) {
    return {
      problems: [
        { path: topLevel, message: `is over ${maxLength} characters; split it into two inventories` },
      ],
    };
  }
  const read = readYaml(text);
  if ('mistakes' in read) return { problems: read.mistakes.map((mistake) => placeAt(mistake, text)) };
  const { input } = read;
  if (input === null) {
    return {
      problems: [{ path: topLevel, message: 'is empty; write at least issuers and certificates' }],
    };
  }
  const parsed = inventorySchema.safeParse(input, parseManner);
  const mistakes = [
    ...(parsed.success ? [] : mistakesOf(parsed.error.issues)),
    ...findCrossMistakes(input),
    ...(prefix === undefined ? [] : findForeignSecrets(input, prefix)),
  ];
  if (parsed.success && mistakes.length === 0) return { inventory: parsed.data };
  return { problems: locate(mistakes, text) };
}

/** YAML text that `parseInventory` parses to the same inventory. Contains every value, defaults too. */
export function serializeInventory(inventory: Inventory): string {
  const { certificates, registration, discovery, notifications } = inventory;
  return dump({
    ...inventory,
    certificates: certificates.map(serializeCertificate),
    ...(registration === undefined
      ? {}
      : { registration: { ...registration, targets: registration.targets.map(serializeTarget) } }),
    ...(discovery === undefined ? {} : { discovery: serializeDiscovery(discovery) }),
    ...(notifications === undefined ? {} : { notifications: serializeNotifications(notifications) }),
  });
}

/** YAML text of an inventory's `certificates` section with these specifications. */
export function serializeCertificates(specs: readonly StoredSpec[]): string {
  const written = specs.map((stored) => {
    const { source: _, ...spec } = stored;
    return serializeCertificate(spec);
  });
  return dump({ certificates: written });
}

function placeAt({ offset, message }: YamlMistake, text: string): InventoryProblem {
  if (offset === undefined) return { path: topLevel, message };
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { path: `line ${line}, column ${offset - before.lastIndexOf('\n')}`, message, line };
}

/** Adds to each mistake the line of its value, or, if the value is missing, of the nearest mapping or list
 *  around it. In the order of the file. */
function locate(mistakes: readonly InventoryMistake[], text: string): readonly InventoryProblem[] {
  const offsetOf = locateIn(text);
  const lines = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const lineAt = (offset: number) => {
    let [least, most] = [0, lines.length];
    while (least < most) {
      const middle = (least + most) >>> 1;
      if ((lines[middle] ?? 0) >= offset) most = middle;
      else least = middle + 1;
    }
    return least + 1;
  };
  return mistakes
    .map(({ path, message }) => {
      const offset = offsetOf(path);
      return { path: formatPath(path), message, ...(offset === undefined ? {} : { line: lineAt(offset) }) };
    })
    .sort(byLine);
}

function byLine(first: InventoryProblem, second: InventoryProblem): number {
  return (first.line ?? 0) - (second.line ?? 0);
}

function serializeCertificate({ renewBeforeMs, probe, targets, ...spec }: CertificateSpec): object {
  const renewBefore = renewBeforeMs === undefined ? {} : { renewBefore: formatDuration(renewBeforeMs) };
  const served = probe === undefined ? {} : { probe: serializeProbe(probe) };
  return { ...spec, ...renewBefore, ...served, targets: targets.map(serializeTarget) };
}

function serializeTarget(spec: TargetSpec): object {
  if ('acm' in spec) return { ...spec, ...serializeAddresses(spec) };
  const { restart, rollout, ...target } = spec;
  const written = typeof restart === 'string' ? restart : restart.map(({ kind, name }) => `${kind}/${name}`);
  const change = rollout ? { rollout: serializeRollout(rollout) } : {};
  return { ...target, restart: written, ...change, ...serializeAddresses(spec) };
}
