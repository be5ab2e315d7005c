import type { DataType, TensorData } from "@ringrank/model";
import { allocate, bytesPerElement } from "@ringrank/model/weights";
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
 * its own. Where the system gives no more, matrices lie in ordinary memory, for plain code and sessions.
 */
export class MatrixHome {
  /** The kernels that the rank does all else with, in the first memory; undefined where it has none. */
  readonly own: RankKernels | undefined;
  /** In the order they fill up. */
  readonly #all: RankKernels[];
  readonly #log: RankLog;
  readonly #spareBytes: number;
  readonly #open: () => RankKernels;
  /** Why there is no more memory to be had. */
  #obstacle: unknown;

  /** @param own without it, matrices lie in ordinary memory */
  constructor(
    own: RankKernels | undefined,
    { log, spareBytes = 2 ** 31, open = openKernels }: MatrixHomeOptions,
    obstacle: unknown = own === undefined ? "the rank has no kernels" : undefined,
  ) {
    this.own = own;
    this.#all = own === undefined ? [] : [own];
    this.#log = log;
    this.#spareBytes = spareBytes;
    this.#open = open;
    this.#obstacle = obstacle;
  }

  /** With kernels of the rank's own, where the engine can. */
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
   * Opens memories until so many bytes of matrices have room, but for what is left at the end of each.
   *
   * @returns what prevents it; undefined where nothing does
   */
  reserve(bytes: number): unknown {
    while (this.#bytesFree < bytes) {
      const more = this.#openMore();
      if (more === undefined) return this.#obstacle;
      this.#all.push(more);
    }
    return undefined;
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
    if (placed === undefined) return weights.map(({ type, count }) => allocate(type, count));
    this.#all.push(more!);
    return placed;
  }

  /** The kernels in whose memory `data` lies. */
  readonly kernelsOf = (data: TensorData): RankKernels | undefined =>
    this.#all.find(({ memory }) => memory.holds(data));

  /** For matrices. */
  get #bytesFree(): number {
    const free = this.#all.reduce((sum, { memory }) => sum + memory.bytesFree, 0);
    return this.own === undefined ? 0 : free - this.#spareBytes;
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
