// Reads and writes the user's inventory, `infra/certificates.yaml`.
import { dump } from 'js-yaml';
import type { CertificateSpec, Inventory, TargetSpec } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { findCrossMistakes } from './cross-checks.ts';
import { writeDiscovery } from './discovery-fields.ts';
import { formatSpan } from './fields.ts';
import { writeAddresses, writeProbe } from './probe-fields.ts';
import {
  explainIssue,
  formatPath,
  type InventoryMistake,
  type InventoryProblem,
  mistakesOf,
} from './problems.ts';
import { writeRollout } from './rollout-fields.ts';
import { inventorySchema } from './schema.ts';
import { locateIn, readYaml, type YamlMistake } from './yaml.ts';

/** Larger files are refused unread; 10,000 certificates need about 3 MB. */
const maxLength = 16_000_000;

/** The inventory in a YAML text, with every default filled in; or all of its mistakes at once, in the
 *  order of the file. */
export function parseInventory(
  text: string,
): { readonly inventory: Inventory } | { readonly problems: readonly InventoryProblem[] } {
  if (text.length > maxLength) {
    return {
      problems: [
        { path: 'the whole', message: `is over ${maxLength} characters; split it in two inventories` },
      ],
    };
  }
  const read = readYaml(text);
  if ('mistakes' in read) return { problems: read.mistakes.map((mistake) => placeAt(mistake, text)) };
  const { input } = read;
  if (input === null) {
    return {
      problems: [{ path: 'the whole', message: 'is empty; write at least issuers and certificates' }],
    };
  }
  const parsed = inventorySchema.safeParse(input, { error: explainIssue });
  const mistakes = [...(parsed.success ? [] : mistakesOf(parsed.error.issues)), ...findCrossMistakes(input)];
  if (parsed.success && mistakes.length === 0) return { inventory: parsed.data };
  return { problems: locate(mistakes, text) };
}

/** YAML text that `parseInventory` reads back as the same inventory. Every value is written out, defaults
 *  too. */
export function serializeInventory(inventory: Inventory): string {
  const { certificates, registration, discovery } = inventory;
  return dump({
    ...inventory,
    certificates: certificates.map(writeCertificate),
    ...(registration === undefined
      ? {}
      : { registration: { ...registration, targets: registration.targets.map(writeTarget) } }),
    ...(discovery === undefined ? {} : { discovery: writeDiscovery(discovery) }),
  });
}

/** YAML text of the certificates as they would stand in an inventory. */
export function serializeCertificates(specs: readonly StoredSpec[]): string {
  const written = specs.map((stored) => {
    const { source: _, ...spec } = stored;
    return writeCertificate(spec);
  });
  return dump({ certificates: written });
}

function placeAt({ offset, message }: YamlMistake, text: string): InventoryProblem {
  if (offset === undefined) return { path: 'the whole', message };
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { path: `line ${line}, column ${offset - before.lastIndexOf('\n')}`, message, line };
}

/** Each mistake with the line of its value, or of the nearest mapping or list around what is missing, in
 *  the order of the file. */
function locate(mistakes: readonly InventoryMistake[], text: string): readonly InventoryProblem[] {
  const offsetOf = locateIn(text);
  const lines = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const lineAt = (offset: number) => {
    const after = lines.findIndex((end) => end >= offset);
    return after === -1 ? lines.length + 1 : after + 1;
  };
  return mistakes
    .map(({ path, message }) => {
      const offset = offsetOf(path);
      return { path: formatPath(path), message, ...(offset === undefined ? {} : { line: lineAt(offset) }) };
    })
    .sort(byLine);
}

function byLine(one: InventoryProblem, other: InventoryProblem): number {
  return (one.line ?? 0) - (other.line ?? 0);
}

function writeCertificate({ renewBeforeMs, probe, targets, ...spec }: CertificateSpec): object {
  const renewBefore = renewBeforeMs === undefined ? {} : { renewBefore: formatSpan(renewBeforeMs) };
  const look = probe === undefined ? {} : { probe: writeProbe(probe) };
  return { ...spec, ...renewBefore, ...look, targets: targets.map(writeTarget) };
}

function writeTarget(spec: TargetSpec): object {
  if ('acm' in spec) return { ...spec, ...writeAddresses(spec) };
  const { restart, rollout, ...target } = spec;
  const written = typeof restart === 'string' ? restart : restart.map(({ kind, name }) => `${kind}/${name}`);
  const change = rollout ? { rollout: writeRollout(rollout) } : {};
  return { ...target, restart: written, ...change, ...writeAddresses(spec) };
}
