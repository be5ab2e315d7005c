import type { Cache, DataType, Weight } from "@ringrank/model";
import type { Elementwise, Interpretable } from "./segment-work.js";

/**
 * What one rank does. Plain data: it crosses threads by structured clone, and holds no parameter, only the
 * intervals of files where the rank's parameters lie.
 *
 * An entry's steps run in order over a table of named values. A step that runs a segment reads its inputs from
 * the table and writes its outputs there; a collective replaces a value. All ranks of a group have the same
 * collectives in the same order.
 */
export interface RankProgram {
  readonly rank: number;
  readonly worldSize: number;
  /** By name: `forward`; encoder–decoders have `encode` and `decode`. */
  readonly entries: Readonly<Record<string, Entry>>;
  /** What steps refer to by index. */
  readonly segments: readonly Segment[];
  /** The rank's shard of every weight it holds, by name. Each is read once, however many segments use it. */
  readonly weights: Readonly<Record<string, WeightShard>>;
  /** Bytes of parameters this rank keeps, in the types it computes in. */
  readonly bytes: number;
}

export interface Entry {
  /** Values the caller puts into the table, cache inputs and positions included. */
  readonly inputs: readonly LocalValue[];
  /** Values the caller takes out of the table, cache outputs (new rows only) included. */
  readonly outputs: readonly LocalValue[];
  readonly steps: readonly Step[];
  /**
   * How many of the steps give all that caches keep: for a call that wants no other output, the rest may be left out,
   * by all ranks alike. Absent where there is no rest.
   */
  readonly cacheSteps?: number;
  /** As in the graph; the states' local shapes are in `inputs` and `outputs`. */
  readonly caches: readonly Cache[];
}

/**
 * A value as this rank sees it. A symbolic size is a product: `{ scale: 2, symbols: ["batch"] }` is 2·batch. Of an
 * output whose size is none, such as past and new rows together, the scale means nothing.
 */
export interface LocalValue {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly SizeProduct[];
  /**
   * For an output that is sharded over ranks: where this rank's elements lie in the whole. Absent where every
   * rank has the whole value.
   */
  readonly shard?: ValueShard;
}

export interface SizeProduct {
  readonly scale: number;
  /** Names of symbolic dimensions of the entry's inputs, each bound when the entry is called. */
  readonly symbols: readonly string[];
}

/** One axis of a value, and which indices of it each rank has, as half-open intervals in increasing order. */
export interface ValueShard {
  readonly axis: number;
  readonly size: number;
  /** By rank. Ranks may overlap (they then agree) and may have none. */
  readonly intervals: readonly (readonly Interval[])[];
}

/** Half-open: `[start, end)`. */
export type Interval = readonly [start: number, end: number];

export type Step =
  | RunStep
  | AllReduceStep
  /** `output` becomes the whole of which each rank has the part `value`. */
  | {
      readonly kind: "allGather";
      readonly value: string;
      readonly output: string;
      readonly shard: ValueShard;
    }
  /** `value` becomes zeros: what a rank without units owes to a sum. */
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
   * By place: names in the table of what the segment reads and writes. Absent where those are the segment's own names;
   * one without weights has names that are nobody's, since several steps may run it.
   */
  readonly values?: { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  /** What the segment computes, if it is attention over a cache, for a rank that has a shorter way. */
  readonly attention?: AttentionOverCache;
}

/** `value` becomes the sum of all ranks' `value`, or the largest. float32 or int32. */
export interface AllReduceStep {
  readonly kind: "allReduce";
  readonly value: string;
  readonly operation?: "max";
  /** What is then added to the sum, on every rank. Not with a maximum. */
  readonly added?: Addends;
}

/** What is added to a sum of ranks, float32: to each of its rows the sum of `rows`, then `value` to the whole. */
export interface Addends {
  /** Names in the program's weights, each as long as a row. */
  readonly rows: readonly string[];
  /** Name in the table: as many elements as the sum has, in the same order. */
  readonly value?: string;
}

/**
 * Every row `x` of `value` normalized, as `output`:
 *
 *     scale · (x − m) / √(mean((x − m)²) + epsilon) + bias       m: the row's mean where `centered`, else 0
 *
 * float32, in the value's shape. `scale` and `bias` are names in the program's weights, each as long as a row.
 */
export interface NormalizeStep {
  readonly kind: "normalize";
  readonly value: string;
  readonly output: string;
  /** What is added to `value`, in place, before: to a sum of ranks ({@link AllReduceStep.added}), or to a product. */
  readonly added?: Addends;
  readonly scale: string;
  readonly bias?: string;
  readonly epsilon: number;
  readonly centered: boolean;
}

/**
 * Every row of `value` times matrices that the rank keeps:
 *
 *     output[row, n] = Σ_k value[row, k] · matrix[n, k] + bias[n]
 *
 * Of block-quantized weights `matrix[n, k] = scales[n, ⌊k / 32⌋] · (values[n, k] − zero)`, zero: 8 of 4 bits, 128 of 8.
 * Activations may then be rounded to int8 in blocks of 32, as by a MatMulNBits of accuracy level 4
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits).
 */
export type ProductStep = QuantizedProductStep | FloatProductStep;

/**
 * Its segments, for many rows, multiply whole numbers, by the type of activations: weights `[rows, width]` uint8 of
 * which 128 is 0, activations `[width, columns]` → sums `[rows, columns]` int32. They differ in speed, and in whether a
 * processor adds up products without an overflow.
 */
export type QuantizedProductStep = ProductOf<
  QuantizedProductMatrix,
  4 | 8,
  { readonly int8: number; readonly uint8: number }
>;

/**
 * Of float32. Its segment, for many rows, multiplies the rows of two: `[rows, width]`, `[columns, width]` → `[rows,
 * columns]`.
 */
export type FloatProductStep = ProductOf<FloatProductMatrix, 32, { readonly float32: number }>;

interface ProductOf<Matrix extends ProductMatrix, Bits, Segments> {
  readonly kind: "product";
  /** Name in the table: float32 `[…, width]`. */
  readonly value: string;
  /** Elements of a row of the value and of each matrix. */
  readonly width: number;
  /** Of a weight. */
  readonly bits: Bits;
  readonly outputs: readonly ProductOutput<Matrix>[];
  readonly segments: Segments;
}

/** `[…, all rows of the matrices]`: what the matrices make, side by side in every row. */
export interface ProductOutput<Matrix extends ProductMatrix = ProductMatrix> {
  readonly name: string;
  readonly matrices: readonly Matrix[];
}

/** Names in the program's weights. */
export type ProductMatrix = QuantizedProductMatrix | FloatProductMatrix;

/** As a MatMulNBits has it. */
export interface QuantizedProductMatrix extends MatrixOfRows {
  /**
   * uint8 `[rows, blocks, 16 or 32 bytes]`, the last block of a row perhaps partial. Of 4 bits, the even element is in
   * a byte's low half.
   */
  readonly values: string;
  /** float32 `[rows, blocks]`. */
  readonly scales: string;
}

export interface FloatProductMatrix extends MatrixOfRows {
  /** float32 `[rows, width]`. */
  readonly values: string;
}

interface MatrixOfRows {
  /** Of the matrix: the columns that it makes. */
  readonly rows: number;
  /** float32 `[rows]`. */
  readonly bias?: string;
}

/**
 * Runs a segment for every expert of this rank that some row goes to, on those rows alone:
 *
 *     output[row] = Σ_e weights[e, row] · segment(rows[row], stacks[e])   over experts e with weights[e, row] ≠ 0
 *
 * `weights` is `[experts, rows, 1]` and `rows` `[rows, …]`, float32; the segment gives `perExpert`, `[1, rows, …]`.
 */
export interface RoutedStep {
  readonly kind: "routed";
  readonly segment: number;
  readonly rows: string;
  readonly weights: string;
  /** Names in the program's weights. The segment is fed one index of their first axis, as `[1, …]`. */
  readonly stacks: readonly string[];
  readonly perExpert: string;
  readonly output: string;
  readonly dims: readonly SizeProduct[];
}

/**
 * Attention of new rows of each sequence over cached rows and themselves. For every head h of keys and values, every
 * query i of its group, and every new row:
 *
 *     score_j = scale · q_hi · K_hj + Σ addends      context_hi = Σ_j softmax(score)_j · V_hj
 *
 * over the cached rows j, then the new ones, whose keys and values are given back too. q and k are turned first, if
 * `rotary` says so.
 */
export interface AttentionOverCache {
  readonly query: HeadsInRow;
  readonly key: HeadsInRow;
  readonly value: HeadsInRow;
  /** Names of entry inputs `[batch, keyValueHeads, past, lanes]`. */
  readonly pastKeys: string;
  readonly pastValues: string;
  /** Names of what is given, `[batch, keyValueHeads, rows, lanes]`. */
  readonly presentKeys: string;
  readonly presentValues: string;
  /** Name of what is given, `[batch, rows, keyValueHeads · group · lanes]`. */
  readonly context: string;
  readonly keyValueHeads: number;
  readonly group: number;
  readonly lanes: number;
  readonly scale: number;
  /** Names of float32 values, each broadcast to `[batch, keyValueHeads · group, rows, past + rows]`. */
  readonly addends: readonly string[];
  /** Whether heads are added different numbers, as ALiBi does: then some see little of what lies far from them. */
  readonly biasByHead: boolean;
  readonly rotary?: {
    /** Names, `[batch, rows, lanes / 2]` both. */
    readonly cos: string;
    readonly sin: string;
    /** How many lanes turn, the first ones: pairs (i, i + lanes / 2), or (2i, 2i + 1) where interleaved. */
    readonly lanes: number;
    readonly interleaved: boolean;
  };
  /**
   * The segment that computes some new rows of one sequence at a time: see program/attention-block.ts. Absent where
   * projections do not lie row by row, or nothing is added to the scores.
   */
  readonly block?: number;
}

/** Where the heads of a projection lie in a row of `value`, in elements. Queries of a group follow one another. */
export interface HeadsInRow {
  readonly value: string;
  readonly rowWidth: number;
  readonly offset: number;
  /** From one head of keys and values to the next. */
  readonly headStride: number;
}

/**
 * A run of nodes between two steps of other kinds; one ONNX Runtime session. Several steps may run one that has no
 * weights: what is alike in all layers is there once.
 */
export interface Segment {
  /** An ONNX model whose `initializers` are external data: location = the index in that list, offset 0. */
  readonly onnx: Uint8Array;
  /** The model's names of values read from the table, and the table's where a step says no others. */
  readonly inputs: readonly string[];
  /** Of values written to it, likewise. */
  readonly outputs: readonly string[];
  /**
   * By location: names in `weights` whose elements lie there, one weight after the other. They are this segment's
   * alone, and its session takes them over.
   */
  readonly initializers: readonly (readonly string[])[];
  /** Names in `weights` that several segments use: the rank keeps one copy and feeds it to each as an input. */
  readonly sharedWeights: readonly string[];
  /** What the segment computes, if that is element by element, for a rank that has a shorter way. */
  readonly elementwise?: Elementwise;
  /** Else, if all of its nodes are such operators: the same for a rank that interprets them where values are small. */
  readonly interpretable?: Interpretable;
}

/** A rank's part of a weight: the product of a choice of intervals on each axis. */
export interface WeightShard {
  readonly weight: Weight;
  /** By axis of `weight.dims`: which indices this rank has. `[[0, dim]]` for the whole axis. */
  readonly selection: readonly (readonly Interval[])[];
  /** Sizes of the selection. */
  readonly dims: readonly number[];
}
