// One figure of the table that `npm run bench` prints, and its verdict.

/** What is measured and how much it may be. Only a count is the same on every machine, so only a count can
 *  fail. */
export interface Figure {
  readonly what: string;
  readonly unit: 'count' | 'ms' | 'MB' | 'times' | 'USD';
  /** At most, or `exactly` as much. Absent: it is only told. */
  readonly target?: number | { readonly exactly: number } | undefined;
  readonly measured: number;
  /** What else there is to say. */
  readonly note?: string | undefined;
}

/** Whether the measured value keeps the target. */
export function isReached({ target, measured }: Figure): boolean {
  if (target === undefined) return true;
  return typeof target === 'number' ? measured <= target : measured === target.exactly;
}

/** Whether a count misses its target. */
export function isBroken(figure: Figure): boolean {
  return figure.unit === 'count' && !isReached(figure);
}

/** A table of figures. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'target', 'measured', 'verdict', ''],
    ...figures.map((figure) => [
      figure.what,
      describeTarget(figure),
      describe(figure.measured, figure.unit),
      figure.target === undefined ? '' : isReached(figure) ? 'reached' : 'MISSED',
      figure.note ?? '',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => alignCell(cell, column, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function describeTarget({ target, unit }: Figure): string {
  if (target === undefined) return '';
  return typeof target === 'number' ? `<= ${describe(target, unit)}` : describe(target.exactly, unit);
}

function describe(value: number, unit: Figure['unit']): string {
  switch (unit) {
    case 'count':
      return String(value);
    case 'ms':
      return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
    case 'MB':
      return `${value.toFixed(0)} MB`;
    case 'times':
      return `${value.toFixed(2)} x`;
    case 'USD':
      return `$${value.toFixed(2)}`;
  }
}

function alignCell(cell: string, column: number, width: number): string {
  return column === 1 || column === 2 ? cell.padStart(width) : cell.padEnd(width);
}
