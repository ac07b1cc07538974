// Parts of the JSON Schema of the inventory: rules, and regular expressions of fields whose form the code
// checks by itself. Each takes every text that the code takes; what it refuses, the code refuses too.

/** A letter or digit, of any script. */
const sign = String.raw`[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]`;
const label = `${sign}(?:(?:-|${sign})*${sign})?`;
/** Punycode conversion takes the full stops of other scripts for dots. */
const name = `${label}(?:[.\u3002\uff0e\uff61]${label})+\\.?`;
const noLongLabel = '(?!.*[A-Za-z0-9-]{64})';
const noAddress = String.raw`(?!(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$)`;

/** A DNS name, which may be a wildcard. */
export const domainPattern = `^${noLongLabel}${noAddress}(?:\\*\\.)?${name}$`;
/** DNS names, separated by spaces. */
export const domainsPattern = `^\\s*(?:\\*\\.)?${name}(?:\\s+(?:\\*\\.)?${name})*\\s*$`;
/** A DNS name that is no wildcard. */
export const zonePattern = `^${noLongLabel}${noAddress}${name}$`;

/** A mail address, with or without `mailto:`. */
export const contactPattern = `^(?:[mM][aA][iI][lL][tT][oO]:)?[^\\s@,?]{1,64}@${name}$`;

const objectLabel = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const object = `${objectLabel}(?:\\.${objectLabel})*`;
/** The name of a Kubernetes object. */
export const objectPattern = `^${object}$`;
const part = String.raw`(?:[a-z0-9]|\{name\})`;
const templateLabel = String.raw`${part}(?:(?:[a-z0-9-]|\{name\})*${part})?`;
/** The name of a Kubernetes object with `{name}` in it. */
export const templatePattern = `^(?=.*\\{name\\})${templateLabel}(?:\\.${templateLabel})*$`;

/** A workload such as `Deployment/web`. */
export function workloadPattern(kinds: readonly string[]): string {
  return `^(?:${kinds.join('|')})/${object}$`;
}

const host = String.raw`[\\/]*[^\s\\/?#@]+(?:[\\/?#].*)?`;
/** A URL without a user name. */
export function urlPattern(...schemes: readonly ('http' | 'https')[]): string {
  return `^\\s*(?:${schemes.map(anyCase).join('|')}):${host}$`;
}

/** An ACME directory: one of the words, or an https URL of a CA that has not switched it off. */
export function directoryPattern(words: readonly string[]): string {
  const retired = String.raw`(?!https://acme-(?:v01|staging(?!-v02))[^/?#]*\.letsencrypt\.org(?:[:/?#]|$))`;
  return `^(?:${words.join('|')}|\\s*${retired}${anyCase('https')}:${host})$`;
}

const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const four = `${octet}(?:\\.${octet}){3}`;
const six = '(?:[0-9A-Fa-f.]*:){2,}[0-9A-Fa-f.]*';
const port = '(?!0+$)(?:[0-9]{1,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
/** An IP address, with a port or without. */
export const endpointPattern = `^(?:${four}(?::${port})?|${six}|\\[${six}\\]:${port})$`;

/** PEM with a certificate in it. */
export const pemPattern = '-----BEGIN CERTIFICATE-----';

/** A maintenance window such as `Sat 02:00-04:00 Europe/Berlin`. */
export function windowPattern(weekdays: readonly string[]): string {
  const day = `(?:${weekdays.map(anyCase).join('|')})`;
  const days = `${day}(?:-${day})?(?:,${day}(?:-${day})?)*`;
  const time = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
  return `^(?:${days} +)?${time} ?- ?(?:${time}|24:00)(?: +\\S+)?$`;
}

const ownName = '[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
/** The name of a label or an annotation that is not Certrelay's own. */
export const qualifiedNamePattern = `^(?!certrelay\\.dev/|app\\.kubernetes\\.io/managed-by$)(?:(?=[^/]{1,253}/)${object}/)?${ownName}$`;

/** JSON Schema: what fits the condition must fit the rule as well. */
export function when(condition: object, rule: object): Readonly<Record<string, object>> {
  return Object.fromEntries(
    ['if', 'then'].map((keyword, index) => [keyword, index === 0 ? condition : rule]),
  );
}

function anyCase(word: string): string {
  return word.replaceAll(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
}
