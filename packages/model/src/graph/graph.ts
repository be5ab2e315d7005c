/**
 * A model as a dataflow graph, in the operators of ONNX (https://onnx.ai/onnx/operators) and the `com.microsoft`
 * operators that ONNX Runtime documents. It is plain data that crosses threads by structured clone.
 *
 * Weights are references to bytes in files; a graph contains no parameters. The policy reads operators, shapes and
 * edges, and never looks at names: these only connect an output to the inputs that use it.
 */
export interface Graph {
  /** Operator set versions by domain; `""` is the default ONNX domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order. */
  readonly nodes: readonly GraphNode[];
  /** Constants of the graph, by the name of the value they define. */
  readonly weights: ReadonlyMap<string, Weight>;
  /** Rows that are kept between steps; empty if the model has no causal cache. */
  readonly caches: readonly Cache[];
  /** States of fixed size that are kept between steps. Absent if there are none. */
  readonly recurrent?: readonly RecurrentState[];
  /**
   * Parts of the graph that run separately, by name: `encode` and `decode`, or `forward` and `project`. Each runs the
   * nodes that its outputs need. Absent if there is only one, `forward`, with all inputs and outputs.
   */
  readonly entries?: Readonly<Record<string, GraphEntry>>;
}

/** Names of graph inputs and outputs. */
export interface GraphEntry {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Element types, named as in ONNX, lower case. */
export type DataType =
  | "float32"
  | "float16"
  | "bfloat16"
  | "float64"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** A dimension: a size, or the name of a size that is only known at run time (`batch`, `sequence`, `past`). */
export type SymbolicDim = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly SymbolicDim[];
}

export interface GraphNode {
  readonly opType: string;
  /** `""` or `com.microsoft`. */
  readonly domain: string;
  /** Names of values; `""` for an optional input that is omitted. */
  readonly inputs: readonly string[];
  /** Names of values; `""` for an optional output that is omitted. */
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: ConstantTensor }
  | { readonly kind: "graph"; readonly value: Branch };

/**
 * A graph inside a node: a branch of an `If`. It reads values of the surrounding graph by name. Exporters omit the
 * types and shapes of its outputs.
 */
export type Branch = Omit<Graph, "outputs"> & { readonly outputs: readonly Pick<ValueInfo, "name">[] };

export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** A small constant, stored in the graph itself. Row-major; float16 and bfloat16 as Uint16Array, bool as Uint8Array. */
export interface ConstantTensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A constant of the graph: `type` and `dims` as its users see them, and where its elements are. */
export interface Weight {
  /** Element type in the graph. A rank converts from `source.storedAs` while reading. */
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly source: WeightSource;
}

export type WeightSource =
  | { readonly kind: "inline"; readonly data: TensorData }
  | FileSource
  | StackSource
  | QuantizedSource
  | AbsentSource;

/** For planning from config.json alone: the shape is known, the bytes are not. */
export interface AbsentSource {
  readonly kind: "absent";
}

/** Tensors of equal shape, stacked along a new first axis. */
export interface StackSource {
  readonly kind: "stack";
  /** By index of the first axis. */
  readonly parts: readonly FileSource[] | readonly QuantizedSource[];
}

/** Number of consecutive elements of a row that share a scale, in a matrix that is quantized while it is read. */
export const quantizationBlock = 32;

/**
 * One of the two tensors that replace a matrix `[rows, columns]` when it is quantized while being read. Each row is
 * divided into blocks of {@link quantizationBlock} columns, of which the last may be partial. The tensors are those
 * that the `com.microsoft` operators MatMulNBits and GatherBlockQuantized take:
 *
 * ```
 *   values   uint8    [rows, blocks, bytes]   n + 2^(bits − 1), of 4 bits the even column in the lower half
 *   scales   float32  [rows, blocks]          matrix ≈ n · scale
 * ```
 *
 * If the columns divide evenly into blocks, values may be viewed as `[rows, blocks · bytes]`, where a share is whole
 * rows.
 *
 * A block is quantized from its own elements only, so the blocks of a share have the same bytes as in the whole.
 */
export interface QuantizedSource {
  readonly kind: "quantized";
  readonly part: "values" | "scales";
  readonly bits: 4 | 8;
  readonly matrix: StoredMatrix;
}

/** A matrix of floating-point elements, as stored. */
export interface StoredMatrix {
  /** As stored: `[rows, columns]`, or `[columns, rows]` if `transposed`. */
  readonly dims: readonly [number, number];
  readonly transposed: boolean;
  readonly source: FileSource | AbsentSource;
}

/** Contiguous, row-major, little-endian elements in a file. */
export interface FileSource {
  readonly kind: "file";
  /** Absolute path. */
  readonly file: string;
  /** Byte offset of the first element in the file. */
  readonly offset: number;
  /** Element type in the file. */
  readonly storedAs: DataType;
}

/**
 * State tensors whose rows are appended, kept and dropped together. They all have the same number of rows, the symbolic
 * dimension `past` of their `past` inputs. Rows past the end of a sequence are zero, and their entry in `positions` is
 * −1.
 */
export interface Cache {
  /** Graph input, int64 `[batch, past]`: the position of each cached row, or −1 for an unused row. */
  readonly positions: string;
  /** A query only sees the last `window` positions, including its own, so older rows may be dropped. */
  readonly window?: number;
  /**
   * The entry whose outputs fill the cache, once per sequence: `encode` for the keys and values of cross-attention.
   * Absent if every step of the entry that reads the cache appends to it.
   */
  readonly filledBy?: string;
  /**
   * Whether every row that is fed counts, because the graph uses the size of `past` as the number of rows. Unused rows
   * would then change the result. Absent if `positions` alone determines which rows are used.
   */
  readonly exact?: boolean;
  readonly states: readonly CacheState[];
}

export interface CacheState {
  /** Graph input: the rows cached so far, `[batch, …, past, …]`. */
  readonly past: string;
  /** Graph output: only the new rows, `[batch, …, sequence, …]`; the same shape except for `axis`. */
  readonly present: string;
  /** The axis that grows. */
  readonly axis: number;
}

/**
 * A state of fixed size, `[batch, …]`, that each step reads and replaces, as in recurrent layers. It is zero before a
 * sequence's first token.
 */
export interface RecurrentState {
  /** Graph input. */
  readonly past: string;
  /** Graph output, of the same shape. */
  readonly present: string;
}

/**
 * Names of graph inputs and outputs that callers know. They belong to the interface of a graph, not to any model; the
 * policy does not look at them.
 */
export const interfaceNames = {
  /** int64 `[batch, sequence]`. */
  inputIds: "input_ids",
  /** int64 `[batch, sequence]`, 1 for a token and 0 for padding. */
  attentionMask: "attention_mask",
  /** For a decoder that reads an encoder's output, int64 `[batch, sequence]`; `input_ids` is then the source. */
  decoderInputIds: "decoder_input_ids",
  /** int64 `[batch, sequence]`, for the decoder's own tokens; `attention_mask` is then the source's. */
  decoderAttentionMask: "decoder_attention_mask",
  /** int64 `[batch, sequence]`: the position of each new token in its own sequence. */
  positionIds: "position_ids",
  /**
   * int64 `[batch]`: the number of tokens that each sequence will have once the whole prompt is in, if these are only a
   * part of it, or else 0. Graphs only have this input if their caches depend on it.
   */
  promptLengths: "prompt_lengths",
  /** For an encoder, int64 `[batch, sequence]`: the segment that each token belongs to, 0 for the first. */
  tokenTypeIds: "token_type_ids",
  /**
   * int64 `[rows]`: the rows of the flattened `[batch · sequence]` for which the head is computed, in order. If a graph
   * has this input, its `logits` output is `[rows, vocabulary]`, else `[batch, sequence, vocabulary]`.
   */
  logitRows: "logit_rows",
  /** float32. */
  logits: "logits",
  /**
   * For an encoder, or a decoder without its head, float32 `[batch, sequence, width]`: the input of a head, or of
   * pooling.
   */
  lastHiddenState: "last_hidden_state",
  /** For an entry that makes vectors of pooled hidden states, float32 `[vectors, width]`. */
  pooled: "pooled",
  /** What it makes of them, float32 `[vectors, width]`. */
  sentenceEmbedding: "sentence_embedding",
} as const;
