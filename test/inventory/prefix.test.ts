// `{prefix}` in the names of AWS secrets, and names under another prefix than the installation's.
import { expect, it, test } from 'vitest';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { fillPrefix, readPackaged } from '../../lib/inventory/prefix.ts';

/** An inventory with an AWS secret in each place that takes one. */
const write = (prefix: string) => `
issuers:
  default: { agreeToTerms: true, eab: { secret: "${prefix}/eab/acm" } }
clusters:
  lab: { kubeconfig: { secret: "${prefix}/clusters/lab" } }
certificates:
  - name: java
    domains: [java.example.com]
    targets:
      - cluster: lab
        secret: java-keystore
        format: pkcs12
        password: { secret: "${prefix}/passwords/java" }
        annotations: { secret: "{prefix}/not/ours" }
registration:
  zones: [example.org]
  targets: [{ cluster: lab, format: pkcs12, password: { secret: "${prefix}/passwords/shared" } }]
`;

function parse(text: string) {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}
const mistakesOf = (text: string, prefix?: string) => {
  const parsed = parseInventory(text, prefix);
  return 'problems' in parsed
    ? parsed.problems.map(({ path, message, line }) => `${line} ${path}: ${message}`)
    : [];
};

it('{prefix} stands for the prefix in every AWS secret, whether the file or the package is read, and nowhere else', () => {
  const inventory = parse(write('{prefix}'));
  const filled = fillPrefix(inventory, 'lab/tls');
  expect(filled).toEqual(parse(write('lab/tls')));
  expect(readPackaged(JSON.stringify(inventory), 'lab/tls')).toEqual(filled);
  expect(JSON.stringify(filled)).toContain('"annotations":{"secret":"{prefix}/not/ours"}');
  // What names its AWS secrets itself is left as it is.
  const written = parse(write('certrelay'));
  expect(readPackaged(JSON.stringify(written), 'lab')).toEqual(written);
});

it('names of another prefix are refused where the prefix is known, each with the name to use', () => {
  expect(mistakesOf(write('certrelay'), 'certrelay')).toEqual([]);
  expect(mistakesOf(write('{prefix}'), 'lab')).toEqual([]);
  expect(mistakesOf(write('certrelay'))).toEqual([]);
  const of = (name: string, own: string) =>
    `"${name}" is not under this installation's prefix "certrelay-prod", so no function may read it; write "{prefix}/${own}", and keep the AWS secret as certrelay-prod/${own}`;
  expect(mistakesOf(write('certrelay'), 'certrelay-prod')).toEqual([
    `3 issuers.default.eab.secret: ${of('certrelay/eab/acm', 'eab/acm')}`,
    `5 clusters.lab.kubeconfig.secret: ${of('certrelay/clusters/lab', 'clusters/lab')}`,
    `13 certificates[0].targets[0].password.secret: ${of('certrelay/passwords/java', 'passwords/java')}`,
    `17 registration.targets[0].password.secret: ${of('certrelay/passwords/shared', 'passwords/shared')}`,
  ]);
});

test.for([
  ['a prefix that begins the same', 'certrelay-old/clusters/lab', 'clusters/lab'],
  ['no prefix', 'lab', 'clusters/lab'],
  ['a folder of another kind', 'team/kube/lab', 'clusters/lab'],
  ['more folders', 'x/clusters/eu/lab', 'clusters/eu/lab'],
] as const)('%s is another prefix', ([, name, own]) => {
  const text = `issuers: { default: { agreeToTerms: true } }\nclusters: { lab: { kubeconfig: { secret: ${name} } } }`;
  expect(mistakesOf(text, 'certrelay')).toEqual([
    expect.stringContaining(`write "{prefix}/${own}", and keep the AWS secret as certrelay/${own}`),
  ]);
});

const quotes = 'a value that begins with { is a mapping, unless it stands in quotes; write ';
test.for([
  [
    'in a mapping in braces',
    'clusters: { lab: { kubeconfig: { secret: {prefix}/clusters/lab } } }',
    `${quotes}"{prefix}/clusters/lab"`,
  ],
  [
    'in a line of its own',
    'clusters:\n  lab:\n    kubeconfig:\n      secret: {prefix}/clusters/lab\n',
    `${quotes}"{prefix}/clusters/lab"`,
  ],
  ['{name} too', 'registration:\n  targets: [{ cluster: lab, secret: {name}-tls }]', `${quotes}"{name}-tls"`],
  [
    'alone',
    'clusters: { lab: { kubeconfig: { secret: {prefix} } } }',
    'write the name of an AWS secret in quotes, such as "{prefix}/clusters/lab"',
  ],
  [
    'inside of a name',
    'clusters: { lab: { kubeconfig: { secret: "a/{prefix}/b" } } }',
    'is not the name of an AWS secret; use e.g. "{prefix}/clusters/lab", with the quotes',
  ],
  [
    'misspelt',
    'clusters: { lab: { kubeconfig: { secret: "{Prefix}/clusters/lab" } } }',
    'is not the name of an AWS secret; use e.g. "{prefix}/clusters/lab", with the quotes',
  ],
] as const)('a name without its quotes, or with braces elsewhere, is told why: %s', ([, text, words]) => {
  expect(mistakesOf(`issuers: { default: { agreeToTerms: true } }\n${text}`).join('\n')).toContain(words);
});

it('another mistake of YAML keeps its own words, whatever stands in quotes nearby', () => {
  const text = 'clusters:\n  lab: { kubeconfig: { secret: "{prefix}/clusters/lab" }\ncertificates: []\n';
  expect(mistakesOf(text).join()).not.toContain('unless it stands in quotes');
});
