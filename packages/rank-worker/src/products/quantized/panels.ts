/**
 * Columns of activations that are multiplied at once. A session puts its right operand into its own order by as many,
 * so that fewer calls would spare it nothing; and what a strip of a matrix makes of so many stays in a core's own cache.
 */
export const panelColumns = 128;

/** Columns from `first` on, all but those of the last panel as many. */
export interface Panel {
  readonly first: number;
  readonly columns: number;
}

export function panelsOf(columns: number): readonly Panel[] {
  return Array.from({ length: Math.ceil(columns / panelColumns) }, (_, at) => ({
    first: at * panelColumns,
    columns: Math.min(panelColumns, columns - at * panelColumns),
  }));
}
