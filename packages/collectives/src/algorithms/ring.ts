import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
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

/** The elements that go round at once: `windowLength` of each piece, from its `from`-th on. */
interface RingWindow<T extends CollectiveArray> {
  readonly transport: Transport;
  readonly elements: Elements<T>;
  readonly pieces: Pieces;
  readonly from: number;
  readonly observe: RingObserver | undefined;
}

/**
 * The reduce-scatter, N−1 rounds. `data` is only read. Returns where this rank's finished chunk is: in the window of
 * the coming round, which the caller publishes, or in a block of the rank's own.
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

/** The all-gather after its first round was published, N−2 rounds: `out` gets the other ranks' chunks. */
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
      // Publishing lets go of what came in, so what is copied out afterwards has to be this rank's own.
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
