import type { CollectiveArray } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import { scratchLength } from "../group/layout.js";
import type { Transport } from "../group/transport.js";
import type { ReduceKernel } from "../kernels/kernels.js";
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

    allReduce(transport, elements, data, reduce) {
      const { rank, worldSize, windowLength } = transport;
      const pieces = piecesOf(nearEven(data.length, worldSize));
      for (let from = 0; from === 0 || from < pieces.longest; from += windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const start = startOf(window, rank);
        const incoming = passPartialSums(window, data, reduce);
        // The sum is made where its way round starts.
        const sum = transport.claim(rightOf(transport));
        addOwn(elements, reduce, sum, incoming, data, start, lengthOf(window, rank));
        report(window, "reduce-scatter", worldSize - 1, rank, elements.all, sum);
        transport.publish();
        elements.take(data, start, sum, lengthOf(window, rank));
        passFinished(window, data);
      }
    },

    reduceScatter(transport, elements, data, pieces, reduce, out) {
      const { rank, worldSize } = transport;
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const incoming = passPartialSums(window, data, reduce);
        const start = startOf(window, rank);
        const length = lengthOf(window, rank);
        const sum = elements.scratchFor(out, from);
        for (let done = 0; done < length; done += scratchLength) {
          const count = Math.min(scratchLength, length - done);
          addOwn(elements, reduce, sum, incoming + done, data, start + done, count);
          elements.take(out, from + done, sum, count);
        }
        report(window, "reduce-scatter", worldSize - 1, rank, out, from);
      }
    },

    allGather(transport, elements, pieces, out) {
      const { rank } = transport;
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const mine = transport.claim(rightOf(transport));
        elements.put(mine, out, startOf(window, rank), lengthOf(window, rank));
        transport.publish();
        passFinished(window, out);
      }
    },
  };
}

/** The elements that go round at once: `windowLength` of each piece, from its `from`-th on. */
interface RingWindow<T extends CollectiveArray> {
  readonly transport: Transport;
  readonly elements: Elements<T>;
  readonly pieces: Pieces;
  readonly from: number;
  readonly observe: RingObserver | undefined;
}

/**
 * N−1 rounds of the reduce-scatter. Returns where the left neighbour shows this rank's chunk, with all parts but
 * this rank's own. `data` is only read.
 */
function passPartialSums<T extends CollectiveArray>(
  window: RingWindow<T>,
  data: T,
  reduce: ReduceKernel,
): number {
  const { transport, elements } = window;
  const { worldSize } = transport;
  const right = rightOf(transport);
  const left = leftOf(transport);

  elements.put(transport.claim(right), data, startOf(window, left), lengthOf(window, left));
  transport.publish();
  for (let step = 1; step < worldSize - 1; step++) {
    const incoming = transport.receive(left);
    const chunk = (left + worldSize - step) % worldSize;
    const sum = transport.claim(right);
    addOwn(elements, reduce, sum, incoming, data, startOf(window, chunk), lengthOf(window, chunk));
    report(window, "reduce-scatter", step, chunk, elements.all, sum);
    transport.publish();
  }
  return transport.receive(left);
}

/** The all-gather after its first round was published, N−2 rounds: `out` gets the other ranks' chunks. */
function passFinished<T extends CollectiveArray>(window: RingWindow<T>, out: T): void {
  const { transport, elements } = window;
  const { rank, worldSize } = transport;
  const right = rightOf(transport);
  const left = leftOf(transport);

  for (let step = 1; step < worldSize; step++) {
    const incoming = transport.receive(left);
    const chunk = (rank + worldSize - step) % worldSize;
    const length = lengthOf(window, chunk);
    // Publishing lets go of what came in, so what goes on is taken from this rank's own window.
    let held = incoming;
    if (step < worldSize - 1) {
      held = transport.claim(right);
      elements.move(held, incoming, length);
      transport.publish();
    }
    elements.take(out, startOf(window, chunk), held, length);
    report(window, "all-gather", step, chunk, out, startOf(window, chunk));
  }
}

/** `sum` becomes `incoming ∘ data[start…]`; by blocks, so that what was put in is still in the cache when it is read. */
function addOwn<T extends CollectiveArray>(
  elements: Elements<T>,
  reduce: ReduceKernel,
  sum: number,
  incoming: number,
  data: T,
  start: number,
  length: number,
): void {
  for (let done = 0; done < length; done += scratchLength) {
    const count = Math.min(scratchLength, length - done);
    elements.put(sum + done, data, start + done, count);
    reduce(sum + done, incoming + done, sum + done, count);
  }
}

function rightOf({ rank, worldSize }: Transport): number {
  return (rank + 1) % worldSize;
}

function leftOf({ rank, worldSize }: Transport): number {
  return (rank + worldSize - 1) % worldSize;
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
  const values = Array.from(held.subarray(at, at + lengthOf(window, chunk)));
  window.observe({ phase, step, chunk, from: leftOf(window.transport), values });
}
