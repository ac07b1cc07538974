// Reads what a function answers. The function may be of another version, and its texts come from strangers:
// each text is one line without control characters, and what has another type is absent.
import { oneLine } from '../../lib/policy/bounds.ts';

/** An object of an answer. */
export type AnswerFields = Readonly<Record<string, unknown>>;

/** Characters of one text. */
const longestText = 2_000;

/** The value as an object; without fields if it is none. */
export function fieldsOf(value: unknown): AnswerFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The text of a field, on one line; empty if it has none. */
export function textOf(fields: AnswerFields, key: string): string {
  const value = fields[key];
  return typeof value === 'string' ? oneLine(value, longestText) : '';
}

/** The number of a field. */
export function numberOf(fields: AnswerFields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The instant of a field. */
export function timeOf(fields: AnswerFields, key: string): Date | undefined {
  const value = fields[key];
  const time = typeof value === 'string' ? new Date(value) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time : undefined;
}

/** The objects of a list; empty if the field is none. */
export function listOf(fields: AnswerFields, key: string): readonly AnswerFields[] {
  const value = fields[key];
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** The texts of a list, each on one line. */
export function textsOf(fields: AnswerFields, key: string): readonly string[] {
  const value = fields[key];
  if (!Array.isArray(value)) return [];
  return value.flatMap((one) => (typeof one === 'string' ? [oneLine(one, longestText)] : []));
}
