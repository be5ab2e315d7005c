import type { DataType, TensorData } from "@ringrank/model";
import { allocate, bytesPerElement } from "@ringrank/model/weights";
import type { RankLog } from "../logging.js";
import type { KernelMemory } from "./kernel-memory.js";
import { RankKernels } from "./rank-kernels.js";

/** A weight that needs memory. */
interface WeightSize {
  readonly type: DataType;
  /** Number of elements. */
  readonly count: number;
}

interface MatrixHomeOptions {
  readonly log: RankLog;
  /** Bytes of the rank's own memory that stay free, because caches need room there too. Default 2 GiB. */
  readonly spareBytes?: number;
  /** Bytes of each further memory that stay free, to put the scales of a matrix in order. Default 256 MiB. */
  readonly workBytes?: number;
  /** Opens another memory with kernels; throws if there is none. */
  readonly open?: () => RankKernels;
}

/**
 * The memory for the matrices of a rank's own products. They are in memories of its kernels, because a kernel can only
 * read its own memory. Matrices first fill the rank's first memory while that leaves enough for caches, then further
 * memories, each with its own kernels. If the system provides no more, matrices are in ordinary memory, for plain code
 * and sessions.
 */
export class MatrixHome {
  /** The kernels, in the first memory, that the rank uses for everything else; undefined if it has none. */
  readonly own: RankKernels | undefined;
  /** In the order in which they are filled. */
  readonly #all: RankKernels[];
  readonly #log: RankLog;
  readonly #spareBytes: number;
  readonly #workBytes: number;
  readonly #open: () => RankKernels;
  /** Why no more memory is available. */
  #obstacle: unknown;

  /** @param own without it, matrices are in ordinary memory */
  constructor(
    own: RankKernels | undefined,
    { log, spareBytes = 2 ** 31, workBytes = 2 ** 28, open = openKernels }: MatrixHomeOptions,
    obstacle: unknown = own === undefined ? "the rank has no kernels" : undefined,
  ) {
    this.own = own;
    this.#all = own === undefined ? [] : [own];
    this.#log = log;
    this.#spareBytes = spareBytes;
    this.#workBytes = workBytes;
    this.#open = open;
    this.#obstacle = obstacle;
  }

  /** Creates one with the rank's own kernels, if the engine can run them. */
  static withKernels(options: MatrixHomeOptions): MatrixHome {
    const { log, open = openKernels } = options;
    try {
      return new MatrixHome(open(), options);
    } catch (error) {
      log.warn({ err: error }, "no kernels of the rank's own; using sessions and plain code");
      return new MatrixHome(undefined, options, error);
    }
  }

  /**
   * Opens memories until this many bytes of matrices fit, ignoring what is left over at the end of each.
   *
   * @returns what prevents it, or undefined if nothing does
   */
  reserve(bytes: number): unknown {
    while (this.#bytesFree < bytes) {
      const more = this.#openMore();
      if (more === undefined) return this.#obstacle;
      this.#all.push(more);
    }
    return undefined;
  }

  /** Uninitialized memory for weights that belong together, all in one place. */
  place(weights: readonly WeightSize[]): TensorData[] {
    const bytes = weights.reduce((sum, { type, count }) => sum + count * bytesPerElement[type], 0);
    for (const kernels of this.#all) {
      if (this.#bytesFreeIn(kernels) < bytes) continue;
      const placed = placeIn(kernels.memory, weights);
      if (placed !== undefined) return placed;
    }
    const more = this.#openMore();
    const placed = more && placeIn(more.memory, weights);
    if (placed === undefined) return weights.map(({ type, count }) => allocate(type, count));
    this.#all.push(more!);
    return placed;
  }

  /** The kernels in whose memory `data` lies. */
  readonly kernelsOf = (data: TensorData): RankKernels | undefined =>
    this.#all.find(({ memory }) => memory.holds(data));

  /** Free bytes for matrices. */
  get #bytesFree(): number {
    return this.#all.reduce((sum, kernels) => sum + this.#bytesFreeIn(kernels), 0);
  }

  #bytesFreeIn(kernels: RankKernels): number {
    return kernels.memory.bytesFree - (kernels === this.own ? this.#spareBytes : this.#workBytes);
  }

  #openMore(): RankKernels | undefined {
    if (this.#obstacle !== undefined) return undefined;
    try {
      return this.#open();
    } catch (error) {
      this.#log.warn(
        { err: error },
        "no more memory for kernels; what has no room is multiplied by plain code, or by sessions",
      );
      this.#obstacle = error;
      return undefined;
    }
  }
}

function openKernels(): RankKernels {
  return new RankKernels();
}

/** Places all of the weights, or none. */
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
