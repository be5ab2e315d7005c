import type { DataType, TensorData } from "@ringrank/model";
import { allocate, bytesPerElement } from "@ringrank/model/weights";
import { ordinaryMemory } from "../cache/cache-memory.js";
import type { RankLog } from "../logging.js";
import type { KernelMemory } from "./kernel-memory.js";
import { RankKernels } from "./rank-kernels.js";

/** A weight that is to lie somewhere. */
interface WeightSize {
  readonly type: DataType;
  /** Elements. */
  readonly count: number;
}

interface MatrixHomeOptions {
  readonly log: RankLog;
  /** What stays free of the rank's own memory, in bytes: caches lie there, too. Default 2 GiB. */
  readonly spareBytes?: number;
  /** Opens another memory, with kernels in it; throws where there is none. */
  readonly open?: () => RankKernels;
}

/**
 * Where the matrices of a rank's own products lie: in memories of its kernels, since a kernel reads what lies in its
 * own memory alone. That is the rank's first memory while caches have enough of it, then others, each with kernels of
 * its own. Where the system gives no more, matrices lie in ordinary memory, for plain code.
 */
export class MatrixHome {
  /** The kernels that the rank does all else with, in the first memory; undefined where it has none. */
  readonly own: RankKernels | undefined;
  /** In the order they fill up. */
  readonly #all: RankKernels[];
  readonly #log: RankLog;
  readonly #spareBytes: number;
  /** Undefined where there is nothing to be had. */
  #open: (() => RankKernels) | undefined;

  constructor(
    own: RankKernels | undefined,
    { log, spareBytes = 2 ** 31, open = () => new RankKernels() }: MatrixHomeOptions,
  ) {
    this.own = own;
    this.#all = own === undefined ? [] : [own];
    this.#log = log;
    this.#spareBytes = spareBytes;
    this.#open = own && open;
  }

  /** Memory for weights that belong together, all of it in one. What lies there is nothing. */
  place(weights: readonly WeightSize[]): TensorData[] {
    const bytes = weights.reduce((sum, { type, count }) => sum + count * bytesPerElement[type], 0);
    for (const [index, { memory }] of this.#all.entries()) {
      if (index === 0 && memory.bytesFree - bytes < this.#spareBytes) continue;
      const placed = placeIn(memory, weights);
      if (placed !== undefined) return placed;
    }
    const more = this.#openMore();
    const placed = more && placeIn(more.memory, weights);
    if (placed === undefined) return weights.map(({ type, count }) => ordinaryMemory.allocate(type, count));
    this.#all.push(more!);
    return placed;
  }

  /** The kernels in whose memory `data` lies. */
  readonly kernelsOf = (data: TensorData): RankKernels | undefined =>
    this.#all.find(({ memory }) => memory.holds(data));

  #openMore(): RankKernels | undefined {
    try {
      return this.#open?.();
    } catch (error) {
      this.#log.warn({ err: error }, "no more memory for kernels; plain code multiplies by what has no room");
      this.#open = undefined;
      return undefined;
    }
  }
}

/** All of it, or nothing. */
function placeIn(memory: KernelMemory, weights: readonly WeightSize[]): TensorData[] | undefined {
  const placed: TensorData[] = [];
  for (const { type, count } of weights) {
    const bytes = memory.bytes(count * bytesPerElement[type]);
    if (bytes === undefined) {
      for (const data of placed) memory.release(data);
      return undefined;
    }
    placed.push(allocate(type, count, bytes));
  }
  return placed;
}
