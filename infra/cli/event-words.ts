// Says what a function refused of an event in the words of the command line: options in place of fields.

/** Options that are called otherwise than their fields. */
const optionOf: Readonly<Record<string, string>> = {
  forecast: 'for',
  targets: 'target',
  clusters: 'cluster',
  dryRun: 'dry-run',
  selfSigned: 'self-signed',
  takeOver: 'take-over',
  toolNamespace: 'tool-namespace',
};

/** Fields that are arguments of a command, and no options. */
const argumentOf: Readonly<Record<string, string>> = {
  certificates: 'the names of certificates',
  certificate: 'the name of a certificate',
};

/** The message with options: `invalid event: until: …` is `--until: …`, and `add "key": true` is
 *  `add --key`. Any other message is returned as it is. */
export function sayAsOptions(message: string): string {
  const [, problems] = /^invalid event: (.*)$/s.exec(message) ?? [];
  if (problems === undefined) return message;
  return (
    problems
      .split('; ')
      .map((problem) =>
        problem.replace(/^([a-z][A-Za-z]{1,30})(?:\.\d+)?: /, (_, field) => `${nameOf(field)}: `),
      )
      .join('; ')
      .replaceAll(/"([a-z][A-Za-z]{1,30})": true/g, (_, field) => nameOf(field))
      .replaceAll(
        /"([a-z][A-Za-z]{1,30})": "([\w-]{1,30})"/g,
        (_, field, value) => `${nameOf(field)} ${value}`,
      )
      // What a field must be is a value.
      .replaceAll(/(?<!must be )"([a-z][A-Za-z]{1,30})"/g, (_, field) => nameOf(field))
  );
}

function nameOf(field: string): string {
  return argumentOf[field] ?? `--${optionOf[field] ?? field}`;
}
