/**
 * Columns of activations that are multiplied at once. A session packs its right operand in panels of this many columns,
 * so fewer calls would save nothing. The products of a strip of a matrix with this many columns stay in a core's own
 * cache.
 */
export const panelColumns = 128;

/** Columns from `first` on. All panels except the last have the same number of columns. */
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
