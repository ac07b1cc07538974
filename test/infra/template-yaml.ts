// Reads CloudFormation's YAML, with the short forms of its intrinsic functions.
import { type CollectionTag, parse, type ScalarTag } from 'yaml';

/** What the text says, each `!Name` as `Fn::Name`, and `!Ref` as `Ref`. */
export function parseTemplate(text: string): unknown {
  const names = ['Sub', 'Equals', 'Not', 'If', 'Split', 'Select', 'Join'];
  const intrinsics = names.flatMap((name) =>
    (['scalar', 'seq'] as const).map((collection) => shortForm(name, collection)),
  );
  const ref = { tag: '!Ref', resolve: (value: string) => ({ Ref: value }) };
  const getAtt = { tag: '!GetAtt', resolve: (value: string) => ({ 'Fn::GetAtt': value.split('.') }) };
  const condition = { tag: '!Condition', resolve: (value: string) => ({ Condition: value }) };
  return parse(text, { customTags: [ref, getAtt, condition, ...intrinsics], merge: true });
}

function shortForm(name: string, collection: 'scalar' | 'seq'): ScalarTag | CollectionTag {
  const tag = `!${name}`;
  if (collection === 'scalar') return { tag, resolve: (value) => ({ [`Fn::${name}`]: value }) };
  return { tag, collection, resolve: (value) => ({ [`Fn::${name}`]: value.toJSON() }) };
}
