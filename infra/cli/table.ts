// Tables for a terminal. What has no room gives way: first the width of the flexible column, then columns,
// then the flexible column goes below its row. Addresses stay whole.
import { type Colour, findAddresses, fitText, paint, widthOfText, wrapText } from './text.ts';

/** A column of a table. */
export interface TableColumn<Row> {
  readonly header: string;
  /** The text, on one line and without escapes. */
  readonly of: (row: Row) => string;
  /** Which column gives way first: the highest number. Absent: it stays. */
  readonly givesWay?: number;
  /** Takes the columns that the others leave. One column at most. */
  readonly isFlexible?: true;
  /** What its text begins with below a row, where no header says what it is. */
  readonly label?: string;
  readonly isRight?: true;
  /** Only in a wide table. */
  readonly isWide?: true;
  readonly colour?: (row: Row) => Colour | undefined;
}

/** How a table is shown. */
export interface TableStyle {
  /** Columns of the terminal; absent: any width. */
  readonly width?: number | undefined;
  readonly isWide: boolean;
  readonly isColoured: boolean;
}

const gap = '  ';
/** Columns that a flexible column has beside the others, or it goes below them. */
const fewestFlexible = 22;

/** The table as lines, each with its end. Without rows it is empty. */
export function formatTable<Row>(
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  style: TableStyle,
): string {
  if (rows.length === 0) return '';
  const cells = columns
    .filter(({ isWide }) => style.isWide || !isWide)
    .map((column) => ({ column, texts: rows.map((row) => column.of(row)) }))
    // A column that says nothing of any row is no column.
    .filter(({ column, texts }) => !column.givesWay || texts.some((text) => text !== ''));
  const layout = style.isWide || style.width === undefined ? unbounded(cells) : narrow(cells, style.width);
  const head = layout.beside.map(({ column, width }) => align(column.header, width, column)).join(gap);
  const lines = rows.flatMap((row, index) => {
    const line = layout.beside.map(({ column, width, texts }) => {
      const text = align(fitText(texts[index] ?? '', width), width, column);
      const colour = style.isColoured ? column.colour?.(row) : undefined;
      return colour ? paint(text, colour) : text;
    });
    const below = layout.below?.texts[index] ?? '';
    const said = `${layout.below?.column.label ?? ''}${below}`;
    const more =
      below === '' ? findCutAddresses(layout, index) : wrapText(said, Math.max(10, (style.width ?? 80) - 2));
    return [line.join(gap).trimEnd(), ...more.map((part) => `  ${part}`)];
  });
  const title = style.isColoured ? paint(head.trimEnd(), 'bold') : head.trimEnd();
  return `${[title, ...lines].join('\n')}\n`;
}

interface Cells<Row> {
  readonly column: TableColumn<Row>;
  readonly texts: readonly string[];
}

interface Layout<Row> {
  readonly beside: readonly (Cells<Row> & { readonly width: number })[];
  /** The flexible column, if its texts go below the rows. */
  readonly below?: Cells<Row>;
}

function unbounded<Row>(cells: readonly Cells<Row>[]): Layout<Row> {
  return { beside: cells.map((one) => ({ ...one, width: naturalWidth(one) })) };
}

function narrow<Row>(cells: readonly Cells<Row>[], most: number): Layout<Row> {
  const flexible = cells.find(({ column }) => column.isFlexible);
  let fixed = cells.filter((one) => one !== flexible);
  const takenBy = () => fixed.reduce((sum, one) => sum + naturalWidth(one) + gap.length, 0);
  const needed = flexible ? Math.min(naturalWidth(flexible), fewestFlexible) : -gap.length;
  while (takenBy() + needed > most) {
    const [weakest] = fixed
      .filter(({ column }) => column.givesWay)
      .toSorted((one, other) => (other.column.givesWay ?? 0) - (one.column.givesWay ?? 0));
    if (!weakest) break;
    fixed = fixed.filter((one) => one !== weakest);
  }
  const room = most - takenBy();
  const isBelow = flexible !== undefined && room < needed;
  const shown = cells.filter((one) => fixed.includes(one) || (one === flexible && !isBelow));
  const beside = shown.map((one) => ({
    ...one,
    width: one === flexible ? Math.min(naturalWidth(one), room) : naturalWidth(one),
  }));
  const over = beside.reduce((sum, { width }) => sum + width + gap.length, -gap.length) - most;
  // Only a long name is left that could be shorter.
  const [first, ...others] = beside;
  const shortened =
    over > 0 && first ? [{ ...first, width: Math.max(8, first.width - over) }, ...others] : beside;
  return { beside: shortened, ...(isBelow && flexible ? { below: flexible } : {}) };
}

/** Addresses that a row's flexible column has no room for. */
function findCutAddresses<Row>({ beside }: Layout<Row>, row: number): readonly string[] {
  return beside.flatMap(({ column, texts, width }) => {
    const text = column.isFlexible ? (texts[row] ?? '') : '';
    const shown = fitText(text, width);
    // What is cut is no whole address, even if it begins as one.
    return shown === text
      ? []
      : findAddresses(text).filter((address) => !findAddresses(shown).includes(address));
  });
}

function naturalWidth<Row>({ column, texts }: Cells<Row>): number {
  return Math.max(widthOfText(column.header), ...texts.map(widthOfText));
}

function align(text: string, width: number, { isRight }: { readonly isRight?: true }): string {
  const space = ' '.repeat(Math.max(0, width - widthOfText(text)));
  return isRight ? `${space}${text}` : `${text}${space}`;
}
