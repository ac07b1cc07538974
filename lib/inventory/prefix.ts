// `{prefix}` in names of AWS secrets: it stands for the installation's prefix, so that one inventory is right
// for every stage.
import type { Inventory } from '../certificate/spec.ts';
import type { InventoryMistake } from './problems.ts';

/** What stands for the prefix at the beginning of an AWS secret's name. */
const placeholder = '{prefix}/';

/** The folder below the prefix that roles may read an AWS secret of each key in. Every other key with an AWS
 *  secret is a channel for notices. */
const folders: ReadonlyMap<string, string> = new Map([
  ['kubeconfig', 'clusters'],
  ['eab', 'eab'],
  ['password', 'passwords'],
]);

/** Texts of users' own, which never name an AWS secret. */
const ownTexts = ['labels', 'annotations'];

/** A parsed inventory with the prefix in place of each `{prefix}`. */
export function fillPrefix(inventory: Inventory, prefix: string): Inventory {
  return fill(inventory, prefix, '');
}

/** The inventory that the build packaged as JSON, with the prefix filled in. */
export function readPackaged(json: string, prefix: string): Inventory {
  const inventory: Inventory = JSON.parse(json);
  // Looked for in the text, because walking ten thousand certificates takes longer than the rest.
  return json.includes(`"${placeholder}`) ? fillPrefix(inventory, prefix) : inventory;
}

/** The value with the same form; only texts differ. */
function fill<T>(value: T, prefix: string, key: string): T;
function fill(value: unknown, prefix: string, key: string): unknown {
  if (Array.isArray(value)) return value.map((one) => fill(one, prefix, ''));
  if (typeof value === 'string')
    return key === 'secret' && value.startsWith(placeholder)
      ? `${prefix}/${value.slice(placeholder.length)}`
      : value;
  if (typeof value !== 'object' || value === null || ownTexts.includes(key)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fill(part, prefix, name)]));
}

/** A mistake for each AWS secret in a parsed YAML value whose name is under another prefix: no role may read
 *  it. Never throws. */
export function findForeignSecrets(input: unknown, prefix: string): readonly InventoryMistake[] {
  return findAwsSecrets(input, []).flatMap(({ path, name }) => {
    if (name.startsWith(placeholder) || name.startsWith(`${prefix}/`)) return [];
    const kind = String(path.at(-2));
    const folder = folders.get(kind) ?? 'notify';
    const own = nameBelow(folder, name);
    const message = `${JSON.stringify(name)} is not under this installation's prefix "${prefix}", so no function may read it; write "${placeholder}${folder}/${own}", and keep the AWS secret as ${prefix}/${folder}/${own}`;
    return [{ path, message }];
  });
}

/** What stands behind the folder in a name, or else its last part. */
function nameBelow(folder: string, name: string): string {
  const parts = name.split('/');
  const at = parts.indexOf(folder);
  return (at === -1 ? parts.slice(-1) : parts.slice(at + 1)).join('/');
}

interface NamedSecret {
  readonly path: readonly PropertyKey[];
  readonly name: string;
}

/** Every `secret` in a mapping that has a key of its own. That of a target is a Kubernetes Secret; its
 *  mapping is an entry of a list. */
function findAwsSecrets(value: unknown, path: readonly PropertyKey[]): readonly NamedSecret[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => findAwsSecrets(one, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const isNamed = typeof path.at(-1) === 'string';
  return Object.entries(value).flatMap(([key, part]) => {
    if (ownTexts.includes(key)) return [];
    if (typeof part === 'string')
      return isNamed && key === 'secret' ? [{ path: [...path, key], name: part }] : [];
    return findAwsSecrets(part, [...path, key]);
  });
}
