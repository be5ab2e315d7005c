import type { RunCursor } from "./runs.js";

/** In bytes. A gap smaller than a page costs the disk nothing, and copying it costs less than another system call. */
const page = 4096;

/** Limits the lists of a span, whatever the runs are. */
const maxRunsPerSpan = 4096;

/**
 * Runs that are read in one call, including gaps, in bytes from the start of the tensor. `starts` and `lengths` belong
 * to the runs, in order; a span has at least one.
 */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * Groups runs into spans of at most `limit` bytes (a single longer run is cut into pieces of `limit`). A gap is only
 * read (and dropped) if it is smaller than a page, and either an adjacent run is too, or the gap is at most a quarter
 * of the run before it. So at most 1.25 times the needed bytes are read if runs have 4 KiB or more, and a selection of
 * tiny runs does not need a call for each.
 */
export function* spans(cursor: RunCursor, elementBytes: number, limit: number): Generator<Span> {
  const pieceBytes = Math.max(elementBytes, limit - (limit % elementBytes));
  let starts: number[] = [];
  let lengths: number[] = [];
  let from = 0;
  let end = 0;
  while (cursor.next()) {
    let start = cursor.start * elementBytes;
    const runEnd = start + cursor.length * elementBytes;
    while (start < runEnd) {
      const length = Math.min(pieceBytes, runEnd - start);
      const gap = start - end;
      const joins =
        starts.length > 0 &&
        starts.length < maxRunsPerSpan &&
        start + length - from <= limit &&
        gap < page &&
        (length < page || lengths[lengths.length - 1]! < page || gap * 4 <= lengths[lengths.length - 1]!);
      if (!joins) {
        if (starts.length > 0) yield { start: from, end, starts, lengths };
        starts = [];
        lengths = [];
        from = start;
      }
      starts.push(start);
      lengths.push(length);
      start += length;
      end = start;
    }
  }
  if (starts.length > 0) yield { start: from, end, starts, lengths };
}
