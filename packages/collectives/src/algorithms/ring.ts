import type { CollectiveArray } from "../communicator.js";
import type { Transport } from "../group/transport.js";
import { copy, type ReduceKernel } from "../kernels.js";
import { lengthInWindow, nearEven, type Pieces, piecesOf } from "../pieces.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";

/** One chunk that arrived at one rank, as {@link RingObserver} sees it. */
export interface RingStep {
  readonly phase: "reduce-scatter" | "all-gather";
  /** 1 to N−1. */
  readonly step: number;
  readonly chunk: number;
  /** The neighbour it came from. */
  readonly from: number;
  /** What the rank holds of the chunk now: a partial sum, or the finished one. */
  readonly values: readonly number[];
}

/** Called on each step of a ring, for those who want to watch it. */
export type RingObserver = (step: RingStep) => void;

/**
 * The bandwidth-optimal ring (Patarasuk and Yuan, 2009): each rank only ever reads its left neighbour, and moves
 * 2(N−1)/N of the message, whatever N is.
 *
 * Reduce-scatter, N = 3. A chunk travels to the right; each rank adds its own part on the way. Chunk c starts at
 * rank c+1 and is complete at rank c:
 *
 * ```
 *             rank 0        rank 1        rank 2
 *   start   sends c2      sends c0      sends c1
 *   step 1  c1: x2+x0     c2: x0+x1     c0: x1+x2
 *   step 2  c0: …+x0      c1: …+x1      c2: …+x2     each rank has one chunk of the sum
 * ```
 *
 * All-gather: the finished chunks go round once more, N−1 steps, and are copied.
 *
 * Order of additions for chunk c, which is the c-th of N near-even pieces: `((x_{c+1} + x_{c+2}) + …) + x_c`,
 * indices modulo N.
 */
export function createRing(observe?: RingObserver): CollectiveAlgorithm {
  return {
    name: "ring",

    allReduce(transport, shared, data, reduce) {
      const { rank, worldSize, windowLength } = transport;
      const pieces = piecesOf(nearEven(data.length, worldSize));
      for (let from = 0; from === 0 || from < pieces.longest; from += windowLength) {
        const window = { transport, shared, pieces, from, observe };
        reduceScatterWindow(window, data, reduce, data, pieces.starts[rank]! + from);
        allGatherWindow(window, data);
      }
    },

    reduceScatter(transport, shared, data, pieces, reduce, out) {
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        reduceScatterWindow({ transport, shared, pieces, from, observe }, data, reduce, out, from);
      }
    },

    allGather(transport, shared, pieces, out) {
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        allGatherWindow({ transport, shared, pieces, from, observe }, out);
      }
    },
  };
}

/** The elements that go round at once: `windowLength` of each piece, from its `from`-th on. */
interface RingWindow<T extends CollectiveArray> {
  readonly transport: Transport;
  readonly shared: T;
  readonly pieces: Pieces;
  readonly from: number;
  readonly observe: RingObserver | undefined;
}

/** N−1 rounds. This rank's piece ends in `out` at `outStart`; `data` is only read. */
function reduceScatterWindow<T extends CollectiveArray>(
  window: RingWindow<T>,
  data: T,
  reduce: ReduceKernel<T>,
  out: T,
  outStart: number,
): void {
  const { transport, shared } = window;
  const { rank, worldSize } = transport;
  const right = (rank + 1) % worldSize;
  const left = (rank + worldSize - 1) % worldSize;

  copy(shared, transport.claim(right), data, startOf(window, left), lengthOf(window, left));
  transport.publish();
  for (let step = 1; step < worldSize; step++) {
    const incoming = transport.receive(left);
    const chunk = (left + worldSize - step) % worldSize;
    const length = lengthOf(window, chunk);
    const last = step === worldSize - 1;
    const target = last ? out : shared;
    const at = last ? outStart : transport.claim(right);
    reduce(target, at, shared, incoming, data, startOf(window, chunk), length);
    report(window, "reduce-scatter", step, chunk, target, at);
    if (!last) transport.publish();
  }
}

/** N−1 rounds. `out` holds this rank's piece, and gets the others'. */
function allGatherWindow<T extends CollectiveArray>(window: RingWindow<T>, out: T): void {
  const { transport, shared } = window;
  const { rank, worldSize } = transport;
  const right = (rank + 1) % worldSize;
  const left = (rank + worldSize - 1) % worldSize;

  copy(shared, transport.claim(right), out, startOf(window, rank), lengthOf(window, rank));
  transport.publish();
  for (let step = 1; step < worldSize; step++) {
    const incoming = transport.receive(left);
    const chunk = (rank + worldSize - step) % worldSize;
    copy(out, startOf(window, chunk), shared, incoming, lengthOf(window, chunk));
    report(window, "all-gather", step, chunk, shared, incoming);
    if (step === worldSize - 1) return;
    copy(shared, transport.claim(right), shared, incoming, lengthOf(window, chunk));
    transport.publish();
  }
}

function startOf(window: RingWindow<CollectiveArray>, chunk: number): number {
  return window.pieces.starts[chunk]! + window.from;
}

function lengthOf(window: RingWindow<CollectiveArray>, chunk: number): number {
  return lengthInWindow(window.pieces, chunk, window.from, window.transport.windowLength);
}

function report(
  window: RingWindow<CollectiveArray>,
  phase: RingStep["phase"],
  step: number,
  chunk: number,
  held: CollectiveArray,
  at: number,
): void {
  if (!window.observe) return;
  const { rank, worldSize } = window.transport;
  const values = Array.from(held.subarray(at, at + lengthOf(window, chunk)));
  window.observe({ phase, step, chunk, from: (rank + worldSize - 1) % worldSize, values });
}
