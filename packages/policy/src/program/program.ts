import type { Cache, DataType, RecurrentState } from "@ringrank/model";
import type { Interval, WeightShard } from "@ringrank/model/weights";
import type { Elementwise, Interpretable } from "./segment-work.js";

/**
 * The work of one rank. Plain data that crosses threads by structured clone. It contains no parameters, only the
 * intervals of files in which the rank's parameters lie.
 *
 * The steps of an entry run in order on a table of named values. A step that runs a segment reads its inputs from the
 * table and writes its outputs to it; a collective replaces a value. All ranks of a group run the same collectives in
 * the same order.
 */
export interface RankProgram {
  readonly rank: number;
  readonly worldSize: number;
  /** By name: `forward`, or `encode` and `decode` for encoder–decoders. */
  readonly entries: Readonly<Record<string, Entry>>;
  /** Steps refer to these by index. */
  readonly segments: readonly Segment[];
  /** The rank's shard of every weight it holds, by name. Each is read once, even if several segments use it. */
  readonly weights: Readonly<Record<string, WeightShard>>;
  /** Bytes of the parameters that this rank holds, in the types it computes in, as the policy counts them. */
  readonly bytes: number;
}

export interface Entry {
  /** Values that the caller puts into the table, including cache inputs and positions. */
  readonly inputs: readonly LocalValue[];
  /** Values that the caller takes out of the table, including cache outputs (new rows only). */
  readonly outputs: readonly LocalValue[];
  readonly steps: readonly Step[];
  /**
   * After this many steps, everything that is kept for the next call has been computed. If a call needs no other
   * output, all ranks may skip the remaining steps. Absent if there are none.
   */
  readonly cacheSteps?: number;
  /**
   * By output: after how many steps it has been computed, if that is before the last one. If a call needs no output that
   * comes later, all ranks may skip the remaining steps.
   */
  readonly outputSteps?: Readonly<Record<string, number>>;
  /** As in the graph. `inputs` and `outputs` have the local shapes of the states. */
  readonly caches: readonly Cache[];
  /** As in the graph; only those that this rank keeps. */
  readonly recurrent?: readonly RecurrentState[];
}

/**
 * A value as this rank sees it. A symbolic size is a product: `{ scale: 2, symbols: ["batch"] }` is 2·batch. If an
 * output's size is not such a product, such as the number of past and new rows together, its scale is meaningless.
 */
export interface LocalValue {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly SizeProduct[];
  /**
   * For an output that is sharded over ranks: which elements of the whole value this rank has. Absent if every rank has
   * the whole value.
   */
  readonly shard?: ValueShard;
}

export interface SizeProduct {
  readonly scale: number;
  /** Names of symbolic dimensions of the entry's inputs. They are bound when the entry is called. */
  readonly symbols: readonly string[];
}

/** The sharded axis of a value, and the indices that each rank has, as half-open intervals in increasing order. */
export interface ValueShard {
  readonly axis: number;
  readonly size: number;
  /** By rank. The intervals of ranks may overlap, in which case the ranks have equal elements; a rank may have none. */
  readonly intervals: readonly (readonly Interval[])[];
}

export type Step =
  | RunStep
  | AllReduceStep
  /** Concatenates the parts `value` of all ranks as `output`. */
  | {
      readonly kind: "allGather";
      readonly value: string;
      readonly output: string;
      readonly shard: ValueShard;
    }
  /** Sets `value` to zeros, which is what a rank without units contributes to a sum. */
  | {
      readonly kind: "zeros";
      readonly value: string;
      /** Default float32. */
      readonly type?: DataType;
      readonly dims: readonly SizeProduct[];
    }
  | NormalizeStep
  | ProductStep
  | RoutedStep;

export interface RunStep {
  readonly kind: "run";
  readonly segment: number;
  /**
   * The names in the table of the values that the segment reads and writes, by position. Absent if these are the
   * segment's own names. Several steps may run a segment without weights, so the names of its values belong to none of
   * them.
   */
  readonly values?: { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  /** What the segment computes, if it is attention over a cache, for ranks that have a faster way. */
  readonly attention?: AttentionOverCache;
}

/** Replaces `value` with the sum, or the maximum, of all ranks' `value`. float32 or int32. */
export interface AllReduceStep {
  readonly kind: "allReduce";
  readonly value: string;
  readonly operation?: "max";
  /** Added to the sum afterwards, on every rank. Not combined with a maximum. */
  readonly added?: Addends;
}

/**
 * Addends of a sum over ranks, in float32: the sum of `rows` is added to each of its rows, then `value` to the whole.
 */
export interface Addends {
  /** Names in the program's weights, each with the length of a row. */
  readonly rows: readonly string[];
  /** Name in the table. It has as many elements as the sum, in the same order. */
  readonly value?: string;
}

/**
 * Normalizes every row `x` of `value`, as `output`:
 *
 *     scale · (x − m) / √(mean((x − m)²) + epsilon) + bias       m: the row's mean if `centered`, else 0
 *
 * float32, in the shape of the value. `scale` and `bias` are names in the program's weights, each with the length of a
 * row.
 */
export interface NormalizeStep {
  readonly kind: "normalize";
  readonly value: string;
  readonly output: string;
  /** Added to `value` first, in place: addends of a sum over ranks ({@link AllReduceStep.added}) or of a product. */
  readonly added?: Addends;
  readonly scale: string;
  readonly bias?: string;
  readonly epsilon: number;
  readonly centered: boolean;
}

/**
 * Multiplies every row of `value` by matrices that the rank holds:
 *
 *     output[row, n] = Σ_k value[row, k] · matrix[n, k] + bias[n]
 *
 * For block-quantized weights, `matrix[n, k] = scales[n, ⌊k / 32⌋] · (values[n, k] − zero)`, where zero is 8 for 4 bits
 * and 128 for 8 bits. Activations may then be rounded to int8 in blocks of 32, as in a MatMulNBits of accuracy level 4
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits).
 */
export type ProductStep = QuantizedProductStep | FloatProductStep;

/**
 * The segments, for many rows, multiply integers; there is one for each type of activations. Weights `[rows, width]`,
 * uint8 in which 128 means 0, and activations `[width, columns]` give sums `[rows, columns]`, int32. The segments
 * differ in speed, and in whether a processor adds up the products without overflow.
 */
export type QuantizedProductStep = ProductOf<
  QuantizedProductMatrix,
  4 | 8,
  { readonly int8: number; readonly uint8: number }
>;

/**
 * In float32. The segment, for many rows, multiplies the rows of two matrices: `[rows, width]`, `[columns, width]` →
 * `[rows, columns]`.
 */
export type FloatProductStep = ProductOf<FloatProductMatrix, 32, { readonly float32: number }>;

interface ProductOf<Matrix extends ProductMatrix, Bits, Segments> {
  readonly kind: "product";
  /** Name in the table: float32 `[…, width]`. */
  readonly value: string;
  /** Number of elements in a row of the value and of each matrix. */
  readonly width: number;
  /** Bits per weight. */
  readonly bits: Bits;
  readonly outputs: readonly ProductOutput<Matrix>[];
  readonly segments: Segments;
}

/** `[…, all rows of the matrices]`: the results of all matrices, side by side in every row. */
export interface ProductOutput<Matrix extends ProductMatrix = ProductMatrix> {
  readonly name: string;
  readonly matrices: readonly Matrix[];
}

/** Names in the program's weights. */
export type ProductMatrix = QuantizedProductMatrix | FloatProductMatrix;

/** In the layout of MatMulNBits. */
export interface QuantizedProductMatrix extends MatrixOfRows {
  /**
   * uint8 `[rows, blocks, 16 or 32 bytes]`. The last block of a row may be partial. With 4 bits, the even element is in
   * the low half of a byte.
   */
  readonly values: string;
  /** float32 `[rows, blocks]`. */
  readonly scales: string;
}

export interface FloatProductMatrix extends MatrixOfRows {
  /** float32 or bfloat16 `[rows, width]`; of one type in all matrices of a step. */
  readonly values: string;
}

interface MatrixOfRows {
  /** Rows of the matrix, which are the columns of its result. */
  readonly rows: number;
  /** float32 `[rows]`. */
  readonly bias?: string;
}

/**
 * Computes every expert of this rank that any row is routed to, on those rows only:
 *
 *     output[row] = Σ_e weights[e, row] · expert_e(rows[row])   over experts e with weights[e, row] ≠ 0
 *
 * `weights` is `[experts, rows, 1]`, and `rows` is `[rows, …]` or `[1, rows, …]`, both float32.
 */
export interface RoutedStep {
  readonly kind: "routed";
  readonly rows: string;
  readonly weights: string;
  readonly expert: ExpertProgram;
  readonly output: string;
  readonly dims: readonly SizeProduct[];
}

/** What an expert makes of its rows. The steps are the same for every expert of a layer. */
export interface ExpertProgram {
  /**
   * Run in order over a table of their own. It holds the rows, under their name outside, and the expert's part of each
   * stack, `[1, …]`. A matrix of a product that names a stack is the part of that stack.
   */
  readonly steps: readonly (RunStep | ProductStep)[];
  /** Names in the program's weights, by expert along the first axis. */
  readonly stacks: readonly string[];
  /** Name of the result, `[1, rows, …]`. */
  readonly perExpert: string;
}

/**
 * Attention of the new rows of each sequence over cached rows and themselves. For every key head h, every query i of
 * its group, and every new row:
 *
 *     score_j = scale · q_hi · K_hj + Σ addends      context_hi = Σ_j softmax(score)_j · V_hj
 *
 * j runs over the cached rows, then over the new ones, whose keys and values are outputs too. If `rotary` is given, q
 * and k are rotated first.
 */
export interface AttentionOverCache {
  readonly query: HeadsInRow;
  readonly key: HeadsInRow;
  readonly value: HeadsInRow;
  /** Names of entry inputs `[batch, keyValueHeads, past, lanes]`. */
  readonly pastKeys: string;
  readonly pastValues: string;
  /** Names of outputs `[batch, keyValueHeads, rows, lanes]`. */
  readonly presentKeys: string;
  readonly presentValues: string;
  /** Name of the output `[batch, rows, keyValueHeads · group · lanes]`. */
  readonly context: string;
  readonly keyValueHeads: number;
  readonly group: number;
  readonly lanes: number;
  readonly scale: number;
  /** Names of float32 values, each broadcast to `[batch, keyValueHeads · group, rows, past + rows]`. */
  readonly addends: readonly string[];
  /** Whether the addends differ between heads, as in ALiBi. Some heads then see little of distant rows. */
  readonly biasByHead: boolean;
  readonly rotary?: {
    /** Names of values, both `[batch, rows, lanes / 2]`. */
    readonly cos: string;
    readonly sin: string;
    /** How many lanes are rotated, counted from the first: pairs (i, i + lanes / 2), or (2i, 2i + 1) if interleaved. */
    readonly lanes: number;
    readonly interleaved: boolean;
  };
  /**
   * The segment that computes some new rows of one sequence at a time: see program/segments/attention-block.ts. Absent
   * if the projections are not laid out row by row, or if nothing is added to the scores.
   */
  readonly block?: number;
}

/** Where the heads of a projection lie in a row of `value`, in elements. The queries of a group are adjacent. */
export interface HeadsInRow {
  readonly value: string;
  readonly rowWidth: number;
  readonly offset: number;
  /** Distance between adjacent key or value heads. */
  readonly headStride: number;
}

/**
 * A run of nodes between two steps of other kinds, executed by one ONNX Runtime session. Several steps may run a
 * segment without weights, so that what is the same in all layers exists once.
 */
export interface Segment {
  /** An ONNX model whose `initializers` are external data: location = the index in that list, offset 0. */
  readonly onnx: Uint8Array;
  /**
   * The model's names of the values it reads from the table. They are also the names in the table, unless a step gives
   * others.
   */
  readonly inputs: readonly string[];
  /** The same for the values it writes. */
  readonly outputs: readonly string[];
  /**
   * By location: names in `weights` whose elements lie there, one weight after the other. They belong to this segment
   * only, and its session takes them over.
   */
  readonly initializers: readonly (readonly string[])[];
  /** Names in `weights` that several segments use. The rank keeps one copy and feeds it to each as an input. */
  readonly sharedWeights: readonly string[];
  /** What the segment computes, if it works element by element, for ranks that have a faster way. */
  readonly elementwise?: Elementwise;
  /**
   * Otherwise, if a rank can interpret all of its nodes: what the segment computes, for ranks that interpret it when
   * values are small. Weights are only tables that rows are looked up in.
   */
  readonly interpretable?: Interpretable;
}
