import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Tensor } from "../../tensors/tensor.js";
import { blocksOf } from "./blocks.js";
import type { ScaleRun } from "./scale-runs.js";
import { areBfloat16, halvesOf, type Scales } from "./scales.js";

/** A quantized matrix as it was read. */
interface ReadMatrix {
  readonly rows: number;
  /** Elements of a row. */
  readonly width: number;
  readonly bits: 4 | 8;
  /** `[rows, blocks]`. */
  readonly scales: Float32Array;
}

/**
 * Puts scales in the order in which kernels read them. Rows are multiplied in parallel, one from each of several
 * streams of the matrix (assembly/products/streams.ts), and the scales of blocks that are processed together are
 * adjacent: `[rows of a stream, blocks, streams]`, then the same for the remaining rows, until none is left. Weights
 * that are quantized during loading have scales that fit in bfloat16; those are stored as bfloat16, which halves the
 * bytes to read. Programs of several entries multiply by the same matrices: each is reordered once.
 */
export class StreamedScales {
  readonly #fed: ReadonlySet<Tensor["data"]>;
  /** By the original scales. */
  readonly #streamed = new Map<Float32Array, Scales | undefined>();
  /** A copy of the original scales of one matrix. */
  #room = new Float32Array(0);

  /** @param fed weights that sessions read too, so that they must not change */
  constructor(fed: Iterable<Pick<Tensor, "data">> = []) {
    this.#fed = new Set(Array.from(fed, ({ data }) => data));
  }

  /**
   * Reorders a matrix's scales in place, or elsewhere if they are fed to a session.
   *
   * @param kernels the kernels whose memory contains them
   * @returns undefined if that memory has no room
   */
  of(matrix: ReadMatrix, kernels: RankKernels): Scales | undefined {
    const { scales } = matrix;
    if (!this.#streamed.has(scales)) this.#streamed.set(scales, this.#put(matrix, kernels));
    return this.#streamed.get(scales);
  }

  #put(matrix: ReadMatrix, kernels: RankKernels): Scales | undefined {
    const { scales } = matrix;
    const isFed = this.#fed.has(scales);
    const isShort = areBfloat16(scales);
    const { length } = scales;
    const place = isFed ? kernels.memory.unclearedFloats(isShort ? Math.ceil(length / 2) : length) : scales;
    if (place === undefined) return undefined;
    const from = isFed ? scales : this.#copyOf(scales);
    const into = isShort ? new Uint16Array(place.buffer, place.byteOffset, length) : place;
    return { scales: into, scaleRuns: streamScales(matrix, kernels, from, into) };
  }

  #copyOf(scales: Float32Array): Float32Array {
    if (this.#room.length < scales.length) this.#room = new Float32Array(scales.length);
    this.#room.set(scales);
    return this.#room.subarray(0, scales.length);
  }
}

/** @param from `[rows, blocks]` */
function streamScales(
  { rows, width, bits }: ReadMatrix,
  kernels: RankKernels,
  from: Float32Array,
  into: Scales["scales"],
): ScaleRun[] {
  const blocks = blocksOf(width);
  const runs: ScaleRun[] = [];
  for (let done = 0; done < rows; ) {
    const streams = kernels.streamsOf(rows - done);
    const each = kernels.rowsOfEach(rows - done, streams, blocks * 4 * bits);
    for (let stream = 0; stream < streams; stream++) {
      const run = { first: done + stream * each, rows: each, at: done * blocks + stream, step: streams };
      const scales = from.subarray(run.first * blocks, (run.first + each) * blocks);
      if (into instanceof Float32Array) spread(scales, into, run);
      else spreadUpper(halvesOf(scales), into, run);
      runs.push(run);
    }
    done += streams * each;
  }
  return runs;
}

/** A separate function, which the engine compiles while processing the first matrices of a model. */
function spread(scales: Float32Array, into: Float32Array, { at, step }: ScaleRun): void {
  for (let index = 0; index < scales.length; index++) into[at + index * step] = scales[index]!;
}

/** The same for upper halves. */
function spreadUpper(halves: Uint16Array, into: Uint16Array, { at, step }: ScaleRun): void {
  for (let half = 1, to = at; half < halves.length; half += 2, to += step) into[to] = halves[half]!;
}
