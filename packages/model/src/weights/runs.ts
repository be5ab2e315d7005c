import { RingrankError } from "@ringrank/errors";

/** Half-open: `[start, end)`. */
export type Interval = readonly [start: number, end: number];

/** By axis: the selected indices, in increasing order. `[[0, dim]]` is the whole axis. */
export type Selection = readonly (readonly Interval[])[];

/** Sizes of a selection. */
export function selectedDims(selection: Selection): number[] {
  return selection.map(totalLength);
}

/** Total length of intervals. */
export function totalLength(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** The indices from the `from`-th to the `to`-th (exclusive) in `intervals`. */
export function partOf(intervals: readonly Interval[], from: number, to: number): Interval[] {
  let passed = 0;
  return intervals.flatMap(([start, end]): Interval[] => {
    const first = start + Math.max(0, from - passed);
    const last = start + Math.min(end - start, to - passed);
    passed += end - start;
    return first < last ? [[first, last]] : [];
  });
}

/** @throws RR_SHAPE unless `selection` names increasing, disjoint index ranges of every axis of `dims`. */
export function checkSelection(selection: Selection, dims: readonly number[]): void {
  if (selection.length !== dims.length) {
    throw new RingrankError(
      "RR_SHAPE",
      `expected a selection for each of the axes of [${dims}], got ${selection.length}`,
    );
  }
  selection.forEach((intervals, axis) => {
    let from = 0;
    for (const [start, end] of intervals) {
      const ordered =
        Number.isSafeInteger(start) && Number.isSafeInteger(end) && from <= start && start < end;
      if (!ordered || end > dims[axis]!) {
        throw new RingrankError(
          "RR_SHAPE",
          `axis ${axis} of [${dims}]: expected increasing, disjoint, non-empty intervals within 0 to ` +
            `${dims[axis]}, got [${start}, ${end}) after ${from}`,
        );
      }
      from = end;
    }
  });
}

/**
 * The selected elements of a row-major tensor as runs that are contiguous in it, in increasing order, each as
 * long as can be. A cursor that changes in place, not a list: a selection of single lanes of a large matrix has
 * millions of runs, and a list of them would be larger than what they select.
 *
 * ```
 * dims [3, 8], selection [[0,3]], [[2,4],[6,8]]      . . a a . . b b      runs: start 2 length 2, start 6
 *                                                    . . c c . . d d      length 2, start 10 length 2, …
 *                                                    . . e e . . f f
 * ```
 */
export class RunCursor {
  /** First element of the current run. */
  start = 0;
  /** Elements in the current run. */
  length = 0;

  /** Axes outside the runs, outermost first; the axis of the runs is the last. */
  readonly #axes: { readonly intervals: readonly Interval[]; readonly stride: number }[] = [];
  /** By axis: the interval, and the index in it. On the last axis only the interval moves. */
  readonly #interval: number[];
  readonly #index: number[];
  #done: boolean;

  // What was found past the end of the current run.
  #nextStart = 0;
  #nextLength = 0;

  constructor(dims: readonly number[], selection: Selection) {
    let stride = 1;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const intervals = selection[axis]!;
      const whole = intervals.length === 1 && intervals[0]![0] === 0 && intervals[0]![1] === dims[axis];
      // Whole inner axes only lengthen the runs of the first axis that is not whole.
      if (this.#axes.length > 0 || !whole || axis === 0) this.#axes.unshift({ intervals, stride });
      stride *= dims[axis]!;
    }
    if (dims.length === 0) this.#axes.push({ intervals: [[0, 1]], stride: 1 });
    this.#interval = this.#axes.map(() => 0);
    this.#index = this.#axes.map(({ intervals }) => intervals[0]?.[0] ?? 0);
    this.#done = selection.some((intervals) => intervals.length === 0);
    this.#step();
  }

  /** Moves to the next run; false when there is none. */
  next(): boolean {
    this.start = this.#nextStart;
    this.length = this.#nextLength;
    if (this.length === 0) return false;
    this.#step();
    while (this.#nextLength > 0 && this.#nextStart === this.start + this.length) {
      this.length += this.#nextLength;
      this.#step();
    }
    return true;
  }

  /** Reads the piece under the odometer into `#next…`, then turns the odometer. */
  #step(): void {
    this.#nextLength = 0;
    if (this.#done) return;
    const last = this.#axes.length - 1;
    const { intervals, stride } = this.#axes[last]!;
    const [from, to] = intervals[this.#interval[last]!]!;
    let start = from * stride;
    for (let axis = 0; axis < last; axis++) start += this.#index[axis]! * this.#axes[axis]!.stride;
    this.#nextStart = start;
    this.#nextLength = (to - from) * stride;

    if (++this.#interval[last]! < intervals.length) return;
    this.#interval[last] = 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      if (this.#turn(axis)) return;
    }
    this.#done = true;
  }

  /** Moves an outer axis by one index; false, and back at its first, when it has passed its last. */
  #turn(axis: number): boolean {
    const { intervals } = this.#axes[axis]!;
    if (++this.#index[axis]! < intervals[this.#interval[axis]!]![1]) return true;
    const carried = ++this.#interval[axis]! === intervals.length;
    if (carried) this.#interval[axis] = 0;
    this.#index[axis] = intervals[this.#interval[axis]!]![0];
    return !carried;
  }
}
