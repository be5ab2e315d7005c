import { describe, expect, it, vi } from "vitest";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { HeadStart } from "./head-start.js";

/** Matrices in this many streams of this many bytes, and what is read of each: its index, from, to. */
function matrices(...sizes: readonly [streams: number, bytes: number][]) {
  const read: [number, number, number][] = [];
  const beginMatrix = vi.fn((values: number, _streams: number, _toNext: number, from: number, to: number) => {
    read.push([values, from, to]);
  });
  const kernels = { beginMatrix } as unknown as RankKernels;
  return { read, streamed: sizes.map(([streams, bytes], values) => ({ kernels, values, streams, bytes })) };
}

describe("a head start", () => {
  it("goes through matrices in order, a piece of each stream at a time, to their ends", () => {
    const { read, streamed } = matrices([8, 2200], [4, 1024], [1, 100]);
    const headStart = new HeadStart(streamed);
    for (let turn = 0; turn < 9; turn++) headStart.advance();
    expect(read).toEqual([
      [0, 0, 1024],
      [0, 1024, 2048],
      [0, 2048, 2200],
      [1, 0, 1024],
      [2, 0, 100],
    ]);
  });

  it("is limited to one MiB of all streams together", () => {
    const { read, streamed } = matrices([8, 1_000_000], [8, 1_000_000]);
    const headStart = new HeadStart(streamed);
    for (let turn = 0; turn < 1000; turn++) headStart.advance();
    expect(read.at(-1)).toEqual([0, 130_048, 131_072]);
  });

  it("begins again when it is reset", () => {
    const { read, streamed } = matrices([8, 1024], [8, 2 ** 20]);
    const headStart = new HeadStart(streamed);
    for (let turn = 0; turn < 1000; turn++) headStart.advance();
    const first = read.splice(0);
    headStart.reset();
    for (let turn = 0; turn < 1000; turn++) headStart.advance();
    expect(read).toEqual(first);
  });
});
