/**
 * Consecutive rows of a matrix whose scales are laid out regularly: that of a block is at `at + ((row − first) ·
 * blocks + block) · step`.
 */
export interface ScaleRun {
  readonly first: number;
  readonly rows: number;
  /** Index of the first row's first scale. */
  readonly at: number;
  /** Distance from a block's scale to that of the row's next block. */
  readonly step: number;
}

/** For a matrix in the layout of MatMulNBits: `[rows, blocks]`. */
export function scalesByRow(rows: number): readonly ScaleRun[] {
  return [{ first: 0, rows, at: 0, step: 1 }];
}

/** The parts of the runs that belong to `count` rows from `first` on. */
export function runsWithin(
  runs: readonly ScaleRun[],
  first: number,
  count: number,
  blocks: number,
): ScaleRun[] {
  return runs.flatMap((run) => {
    const from = Math.max(first, run.first);
    const rows = Math.min(first + count, run.first + run.rows) - from;
    if (rows <= 0) return [];
    return [{ ...run, first: from, rows, at: run.at + (from - run.first) * blocks * run.step }];
  });
}
