import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
import { lengthInWindow, nearEven, type Pieces, piecesOf } from "../pieces.js";
import type { CollectiveAlgorithm } from "./collective-algorithm.js";

/** The arrival of one chunk at one rank, as seen by a {@link RingObserver}. */
export interface RingStep {
  readonly phase: "reduce-scatter" | "all-gather";
  /** 1 to N−1. */
  readonly step: number;
  readonly chunk: number;
  /** The neighbour that it came from. */
  readonly from: number;
  /** The chunk as the rank now has it: a partial sum, or the finished one. */
  readonly values: readonly number[];
}

/** Called on each step of a ring, for teaching and debugging. */
export type RingObserver = (step: RingStep) => void;

/**
 * The bandwidth-optimal ring (Patarasuk and Yuan, 2009): each rank only reads from its left neighbour, and moves
 * 2(N−1)/N of the message, whatever N is.
 *
 * Reduce-scatter, N = 3. A chunk travels to the right, and each rank adds its own part on the way. Chunk c starts at
 * rank c+1 and is complete at rank c:
 *
 * ```
 *             rank 0        rank 1        rank 2
 *   start   sends c2      sends c0      sends c1
 *   step 1  c1: x2+x0     c2: x0+x1     c0: x1+x2
 *   step 2  c0: …+x0      c1: …+x1      c2: …+x2     each rank has one chunk of the sum
 * ```
 *
 * All-gather: the finished chunks travel round once more, in N−1 steps, and are copied.
 *
 * Order of additions for chunk c, which is the c-th of N near-even pieces: `((x_{c+1} + x_{c+2}) + …) + x_c`, indices
 * modulo N.
 */
export function createRing(observe?: RingObserver): CollectiveAlgorithm {
  return {
    name: "ring",

    allReduce(transport, elements, data, operation) {
      const { rank, worldSize, windowLength } = transport;
      const pieces = piecesOf(nearEven(data.length, worldSize));
      for (let from = 0; from === 0 || from < pieces.longest; from += windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const sum = reduceOwnChunk(window, data, operation, "window");
        transport.publish();
        elements.take(data, startOf(window, rank), sum, lengthOf(window, rank));
        passFinished(window, data);
      }
    },

    reduceScatter(transport, elements, data, pieces, operation, out) {
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const sum = reduceOwnChunk(window, data, operation, "block");
        elements.take(out, from, sum, lengthOf(window, transport.rank));
      }
    },

    allGather(transport, elements, pieces, out) {
      const { rank } = transport;
      for (let from = 0; from === 0 || from < pieces.longest; from += transport.windowLength) {
        const window = { transport, elements, pieces, from, observe };
        const length = lengthOf(window, rank);
        elements.put(transport.claim(rightOf(transport)), out, startOf(window, rank), length);
        transport.publish();
        passFinished(window, out);
      }
    },
  };
}

/** The elements that travel round together: `windowLength` elements of each piece, starting at its element `from`. */
interface RingWindow<T extends CollectiveArray> {
  readonly transport: Transport;
  readonly elements: Elements<T>;
  readonly pieces: Pieces;
  readonly from: number;
  readonly observe: RingObserver | undefined;
}

/**
 * The reduce-scatter, N−1 rounds. Only reads `data`. Returns the place of this rank's finished chunk: in the window of
 * the next round, which the caller publishes, or in a block of this rank's own.
 */
function reduceOwnChunk<T extends CollectiveArray>(
  window: RingWindow<T>,
  data: T,
  operation: ReduceOperation,
  finished: "window" | "block",
): number {
  const { transport, elements } = window;
  const { worldSize } = transport;
  const right = rightOf(transport);
  const left = leftOf(transport);

  elements.put(transport.claim(right), data, startOf(window, left), lengthOf(window, left));
  transport.publish();
  for (let step = 1; ; step++) {
    const chunk = (left + worldSize - step) % worldSize;
    const length = lengthOf(window, chunk);
    const own = elements.stage(data, startOf(window, chunk), length);
    const arrived = transport.receive(left);
    const isLast = step === worldSize - 1;
    const sum = isLast && finished === "block" ? own : transport.claim(right);
    elements.reduce[operation](sum, arrived, own, length);
    report(window, "reduce-scatter", step, chunk, elements.all, sum);
    if (isLast) return sum;
    transport.publish();
  }
}

/**
 * The all-gather after its first round has been published, N−2 rounds. `out` receives the chunks of the other ranks.
 */
function passFinished<T extends CollectiveArray>(window: RingWindow<T>, out: T): void {
  const { transport, elements } = window;
  const { rank, worldSize } = transport;
  const right = rightOf(transport);
  const left = leftOf(transport);

  for (let step = 1; step < worldSize; step++) {
    const chunk = (rank + worldSize - step) % worldSize;
    const start = startOf(window, chunk);
    const length = lengthOf(window, chunk);
    let held = transport.receive(left);
    if (step < worldSize - 1) {
      // Publishing releases the received window, so anything that is copied out afterwards must be this rank's own.
      const own = transport.claim(right);
      elements.move(own, held, length);
      transport.publish();
      held = own;
    }
    elements.take(out, start, held, length);
    report(window, "all-gather", step, chunk, out, start);
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
