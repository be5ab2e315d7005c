import { bytesOf } from "@ringrank/model/weights";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { Tensor } from "../../tensors/tensor.js";
import { blocksOf } from "./blocks.js";
import type { ScaleRun } from "./scale-runs.js";
import type { ScaleArray, Scales } from "./scales.js";

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

  /**
   * @param fed weights that sessions read too, so that they must not change. No stack of experts is among them, since
   * each is quantized for one product (quantize-experts.ts in the policy).
   */
  constructor(fed: Iterable<Pick<Tensor, "data">> = []) {
    this.#fed = new Set(Array.from(fed, ({ data }) => data));
  }

  /**
   * Reorders a matrix's scales in place, or elsewhere if they are fed to a session.
   *
   * @param kernels the kernels whose memory contains them
   * @returns undefined if that memory has no room for a second copy, which it needs for a moment at least
   */
  of(matrix: ReadMatrix, kernels: RankKernels): Scales | undefined {
    const { scales } = matrix;
    if (!this.#streamed.has(scales)) this.#streamed.set(scales, this.#put(matrix, kernels));
    return this.#streamed.get(scales);
  }

  #put(matrix: ReadMatrix, kernels: RankKernels): Scales | undefined {
    const { scales } = matrix;
    const bytes = kernels.scaleBytesOf(scales.byteOffset, scales.length);
    const room = kernels.memory.bytes(bytes * scales.length);
    if (room === undefined) return undefined;
    const scaleRuns = streamScales(matrix, kernels, room.byteOffset, bytes);
    if (this.#fed.has(scales)) return { scales: scalesAt(room, bytes), scaleRuns };
    const place = bytesOf(scales).subarray(0, room.length);
    place.set(room);
    kernels.memory.release(room);
    return { scales: scalesAt(place, bytes), scaleRuns };
  }
}

/** Writes them to this address of the kernels' memory, and returns where those of each row are then. */
function streamScales(
  { rows, width, bits, scales }: ReadMatrix,
  kernels: RankKernels,
  out: number,
  scaleBytes: 2 | 4,
): ScaleRun[] {
  const blocks = blocksOf(width);
  const runs: ScaleRun[] = [];
  for (let done = 0; done < rows; ) {
    const streams = kernels.streamsOf(rows - done);
    const each = kernels.rowsOfEach(rows - done, streams, blocks * 4 * bits);
    const at = done * blocks;
    kernels.streamScales(
      scales.byteOffset + 4 * at,
      streams,
      each * blocks,
      out + scaleBytes * at,
      scaleBytes,
    );
    for (let stream = 0; stream < streams; stream++) {
      runs.push({ first: done + stream * each, rows: each, at: at + stream, step: streams });
    }
    done += streams * each;
  }
  return runs;
}

function scalesAt({ buffer, byteOffset, length }: Uint8Array, scaleBytes: 2 | 4): ScaleArray {
  return scaleBytes === 2
    ? new Uint16Array(buffer, byteOffset, length / 2)
    : new Float32Array(buffer, byteOffset, length / 4);
}
