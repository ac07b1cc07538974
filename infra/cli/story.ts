// Shows a story: parts with a title, each with lines of a label and what is to be said.
import type { TableStyle } from './table.ts';
import { localizeTimes, paint, widthOfText, wrapText } from './text.ts';

/** One part. Lines without words are left out. */
export interface StoryPart {
  readonly title: string;
  readonly lines: readonly (readonly [label: string, words: string])[];
}

/** Columns of a label. */
const labelWidth = 13;

/** The parts as text, with a free line between them; instants are in local time. */
export function formatStory(parts: readonly StoryPart[], style: TableStyle): string {
  return parts.map((part) => formatPart(part, style)).join('\n');
}

function formatPart({ title, lines }: StoryPart, { width = Infinity, isColoured }: TableStyle): string {
  const told = lines
    .filter(([, words]) => words !== '')
    .flatMap(([label, words]) => {
      const wrapped = wrapText(localizeTimes(words), Math.max(16, width - labelWidth - 2));
      const head = widthOfText(label) < labelWidth ? label.padEnd(labelWidth) : `${label} `;
      return wrapped.map((line, index) => `  ${index === 0 ? head : ' '.repeat(labelWidth)}${line}`);
    });
  return `${[isColoured ? paint(title, 'bold') : title, ...told].join('\n')}\n`;
}
