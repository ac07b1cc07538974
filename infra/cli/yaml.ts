// Writes results as YAML. Imported late, because few ask for it.
import { dump } from 'js-yaml';

/** The value as YAML, with its end of line. Characters that are not seen become spaces. */
export function toYaml(value: unknown): string {
  return dump(clean(value), { lineWidth: -1, noRefs: true });
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [cleanText(key), clean(field)]));
}

function cleanText(text: string): string {
  return text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}
