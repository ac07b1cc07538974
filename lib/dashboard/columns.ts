// The columns of the page's tables. The first cell of a row is its head.

/** The certificates. */
export const listColumns = ['Certificate', 'Names', 'Health', 'Why', 'Days left', 'Targets', 'Next'] as const;

/** The conditions of one certificate. */
export const conditionColumns = ['Condition', 'Status', 'Reason', 'Message', 'Since'] as const;

/** The targets of one certificate. */
export const targetColumns = ['Target', 'Health', 'Why', 'Holds until', 'Served'] as const;
