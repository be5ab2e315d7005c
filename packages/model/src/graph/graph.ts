/**
 * A model as a dataflow graph, in the operators of ONNX (https://onnx.ai/onnx/operators) and the `com.microsoft`
 * ones that ONNX Runtime documents. Everything here is plain data: it crosses threads by structured clone.
 *
 * Weights are references to bytes in files; nothing here holds a parameter. The policy reads operators, shapes
 * and edges, and never a name: names only join an output to the inputs that use it.
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
  /** State kept from step to step; empty where the model has no causal cache. */
  readonly caches: readonly Cache[];
  /**
   * Parts of the graph that are run apart, by name, such as `encode` and `decode`. Each runs the nodes that its
   * outputs need. Absent where there is one, `forward`, of all inputs and outputs.
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

/** A dimension: a size, or the name of a size known only when running (`batch`, `sequence`, `past`). */
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
  /** Names of values; `""` stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  /** Names of values; `""` stands for an optional output that is left out. */
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
 * A graph inside a node, a branch of an `If`. It reads values of the graph around it by name, and exporters leave
 * out what type and shape its outputs have.
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

/** A small constant, held in the graph itself. Row-major. float16 and bfloat16 as Uint16Array, bool as Uint8Array. */
export interface ConstantTensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A constant of the graph: `type` and `dims` as its users see it, and where its elements are. */
export interface Weight {
  /** Element type in the graph. A rank converts from `source.storedAs` as it reads. */
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

/** Planned from config.json alone: the shape is known, the bytes are not. */
export interface AbsentSource {
  readonly kind: "absent";
}

/** Tensors of one shape laid one after the other along a new first axis. */
export interface StackSource {
  readonly kind: "stack";
  /** By index of the first axis. */
  readonly parts: readonly FileSource[];
}

/** Elements along a row that share a scale where a matrix is quantized as it is read. */
export const quantizationBlock = 32;

/**
 * One of the two tensors that a matrix `[rows, columns]` becomes when whoever reads it quantizes it, each row in blocks
 * of {@link quantizationBlock} columns, the last of them partial where columns do not divide. They are what the
 * `com.microsoft` operators MatMulNBits and GatherBlockQuantized take:
 *
 * ```
 *   values   uint8    [rows, blocks, bytes]   n + 2^(bits − 1), of 4 bits the even column in the lower half
 *   scales   float32  [rows, blocks]          matrix ≈ n · scale
 * ```
 *
 * Where columns divide into blocks, values may be seen as `[rows, blocks · bytes]`, of which a share is whole rows.
 *
 * A block is quantized from its own elements alone, so a share of whole blocks has the bytes that the whole has there.
 */
export interface QuantizedSource {
  readonly kind: "quantized";
  readonly part: "values" | "scales";
  readonly bits: 4 | 8;
  readonly matrix: StoredMatrix;
}

/** A matrix of floating-point elements as it is stored. */
export interface StoredMatrix {
  /** As stored: `[rows, columns]`, or `[columns, rows]` where `transposed`. */
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
 * State tensors whose rows are appended, kept and dropped together. All of them have the same number of rows,
 * the symbolic dimension `past` of their `past` inputs. Rows past the end of a sequence are zero, and
 * their entry in `positions` is −1.
 */
export interface Cache {
  /** Graph input, int64 `[batch, past]`: the position of each kept row, or −1 where there is none. */
  readonly positions: string;
  /** A query sees only the last `window` positions, itself included, so older rows may be dropped. */
  readonly window?: number;
  /**
   * The entry whose outputs fill the cache, once for a sequence: `encode` for the keys and values of
   * cross-attention. Absent where every step of the entry that reads the cache appends to it.
   */
  readonly filledBy?: string;
  /**
   * Whether every row that is fed counts: the graph takes the size of `past` for the number of rows there are, so
   * unused rows would change what it computes. Absent where `positions` alone says which rows there are.
   */
  readonly exact?: boolean;
  readonly states: readonly CacheState[];
}

export interface CacheState {
  /** Graph input: the rows kept so far, `[batch, …, past, …]`. */
  readonly past: string;
  /** Graph output: only the new rows, `[batch, …, sequence, …]`, the same shape but for `axis`. */
  readonly present: string;
  /** The axis that grows. */
  readonly axis: number;
}

/**
 * Names of graph inputs and outputs that those who run a graph know. They are the interface of a graph, not of
 * any model; the policy does not look at them.
 */
export const interfaceNames = {
  /** int64 `[batch, sequence]`. */
  inputIds: "input_ids",
  /** int64 `[batch, sequence]`, 1 for a token and 0 for padding. */
  attentionMask: "attention_mask",
  /** Of a decoder that reads an encoder's output, int64 `[batch, sequence]`; `input_ids` is then the source. */
  decoderInputIds: "decoder_input_ids",
  /** int64 `[batch, sequence]`, of the decoder's own tokens; `attention_mask` is then the source's. */
  decoderAttentionMask: "decoder_attention_mask",
  /** int64 `[batch, sequence]`: the position of each new token in its own sequence. */
  positionIds: "position_ids",
  /** Of an encoder, int64 `[batch, sequence]`: which segment each token is of, 0 for the first. */
  tokenTypeIds: "token_type_ids",
  /**
   * int64 `[rows]`: which rows of the flattened `[batch · sequence]` the head is computed for, in order. Where a
   * graph has this input, its `logits` output is `[rows, vocabulary]`; else `[batch, sequence, vocabulary]`.
   */
  logitRows: "logit_rows",
  /** float32. */
  logits: "logits",
  /** Of an encoder, float32 `[batch, sequence, width]`: what its head, or a pooling, reads. */
  lastHiddenState: "last_hidden_state",
} as const;
