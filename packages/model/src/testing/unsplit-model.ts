import * as ort from "onnxruntime-node";
import { buildGraph, encodeOnnx, type Graph, openCheckpoint } from "../index.js";
import { bytesOf, elementCount } from "../weights/element-types.js";
import { ShardReader } from "../weights/index.js";

/** A model in one ONNX Runtime session, to compare with results of transformers. */
export class UnsplitModel {
  readonly graph: Graph;
  readonly #session: ort.InferenceSession;

  constructor(graph: Graph, session: ort.InferenceSession) {
    this.graph = graph;
    this.#session = session;
  }

  static async load(directory: string, change = (graph: Graph) => graph): Promise<UnsplitModel> {
    const graph = change(buildGraph(openCheckpoint(directory)).graph);
    using reader = new ShardReader();
    const externalData = [...graph.weights].flatMap(([path, weight]) => {
      if (weight.source.kind === "inline") return [];
      const selection = weight.dims.map((dim): [number, number][] => [[0, dim]]);
      return [{ path, data: bytesOf(reader.read({ weight, selection, dims: weight.dims })) }];
    });
    const session = await ort.InferenceSession.create(encodeOnnx(graph), {
      externalData,
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new UnsplitModel(graph, session);
  }

  /**
   * Starts a sequence, or a batch of equal lengths, with an empty cache.
   *
   * @param source inputs that are the same in every step: the encoder's output
   */
  start(batch: number, source: ort.InferenceSession.FeedsType = {}): UnsplitRun {
    return new UnsplitRun(this.graph, this.#session, batch, source);
  }

  /** Outputs of a graph without caches, by name. */
  async run(inputs: ort.InferenceSession.FeedsType): Promise<ort.InferenceSession.ReturnType> {
    return await this.#session.run(inputs);
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

interface StepOptions {
  readonly mask?: readonly (readonly number[])[];
  readonly rows?: readonly number[];
}

/** Rows that are added to a full cache. As in a real cache, most of a step's past is unused. */
const blockRows = 4;

interface CacheRows {
  capacity: number;
  /** `[batch, capacity]`; −1 for an unused row. */
  positions: BigInt64Array;
  /** By `past` input, `[batch, heads, capacity, headDim]`. */
  readonly states: Map<string, Float32Array>;
}

/** Keeps the cache and states between steps of one batch. */
class UnsplitRun {
  readonly #graph: Graph;
  readonly #session: ort.InferenceSession;
  readonly #batch: number;
  readonly #source: ort.InferenceSession.FeedsType;
  readonly #caches: CacheRows[];
  /** By `past` input: the state for the next step. */
  readonly #recurrent: Map<string, ort.Tensor>;
  /** Rows of the cache in use, padding included. */
  #length = 0;
  /** The next position of each sequence. */
  readonly #next: number[];

  constructor(
    graph: Graph,
    session: ort.InferenceSession,
    batch: number,
    source: ort.InferenceSession.FeedsType,
  ) {
    this.#source = source;
    this.#graph = graph;
    this.#session = session;
    this.#batch = batch;
    this.#next = Array<number>(batch).fill(0);
    this.#caches = graph.caches.map(({ states }) => ({
      capacity: 0,
      positions: new BigInt64Array(0),
      states: new Map(states.map(({ past }) => [past, new Float32Array(0)])),
    }));
    this.#recurrent = new Map((graph.recurrent ?? []).map(({ past }) => [past, this.#zeros(past)]));
  }

  /**
   * Logits, `[rows, vocabulary]`.
   *
   * @param ids `[batch][sequence]`
   * @param options.mask 0 for padding, as `ids`; default all 1
   * @param options.rows of the flattened `[batch · sequence]`; default all
   */
  async step(ids: readonly (readonly number[])[], options: StepOptions = {}): Promise<ort.Tensor> {
    const sequence = ids[0]!.length;
    const shape = [this.#batch, sequence];
    const mask = options.mask ?? ids.map((row) => row.map(() => 1));
    // Padding has no position of its own; any valid one will do, since nothing reads its row.
    const positions = mask.flatMap((row, b) => row.map((one) => (one === 1 ? this.#next[b]!++ : 0)));
    const rows = options.rows ?? Array.from({ length: this.#batch * sequence }, (_, row) => row);
    const prefix = this.#graph.inputs.some(({ name }) => name === "decoder_input_ids") ? "decoder_" : "";
    const feeds: Record<string, ort.Tensor> = {
      ...this.#source,
      [`${prefix}input_ids`]: integers(ids.flat(), shape),
      [`${prefix}attention_mask`]: integers(mask.flat(), shape),
      position_ids: integers(positions, shape),
      logit_rows: integers(rows, [rows.length]),
    };
    this.#graph.caches.forEach((cache, index) => {
      const { capacity, positions: kept, states } = this.#caches[index]!;
      feeds[cache.positions] = new ort.Tensor("int64", kept, [this.#batch, capacity]);
      for (const [past, data] of states) {
        const [heads, headDim] = this.#sizes(past);
        feeds[past] = new ort.Tensor("float32", data, [this.#batch, heads, capacity, headDim]);
      }
    });
    for (const [past, state] of this.#recurrent) feeds[past] = state;
    const result = await this.#session.run(feeds);
    for (const { past, present } of this.#graph.recurrent ?? []) this.#recurrent.set(past, result[present]!);
    const kept = mask.flat().map((one, i) => BigInt(one === 1 ? positions[i]! : -1));
    this.#append(result, sequence, kept);
    return result.logits!;
  }

  #append(result: ort.InferenceSession.ReturnType, sequence: number, positions: readonly bigint[]): void {
    const from = this.#length;
    this.#length += sequence;
    this.#graph.caches.forEach((cache, index) => {
      const rows = this.#caches[index]!;
      const old = rows.capacity;
      while (rows.capacity < this.#length) rows.capacity += blockRows;
      const grownPositions = new BigInt64Array(this.#batch * rows.capacity).fill(-1n);
      for (let b = 0; b < this.#batch; b++) {
        grownPositions.set(rows.positions.subarray(b * old, b * old + from), b * rows.capacity);
        const added = positions.slice(b * sequence, (b + 1) * sequence);
        grownPositions.set(added, b * rows.capacity + from);
      }
      rows.positions = grownPositions;
      for (const { past, present } of cache.states) {
        const [heads, headDim] = this.#sizes(past);
        const grown = new Float32Array(this.#batch * heads * rows.capacity * headDim);
        const before = rows.states.get(past)!;
        const added = result[present]!.data as Float32Array;
        for (let head = 0; head < this.#batch * heads; head++) {
          const start = head * rows.capacity * headDim;
          grown.set(before.subarray(head * old * headDim, (head * old + from) * headDim), start);
          const newRows = added.subarray(head * sequence * headDim, (head + 1) * sequence * headDim);
          grown.set(newRows, start + from * headDim);
        }
        rows.states.set(past, grown);
      }
    });
  }

  #zeros(past: string): ort.Tensor {
    const [, ...sizes] = this.#graph.inputs.find(({ name }) => name === past)!.dims.map(Number);
    const dims = [this.#batch, ...sizes];
    return new ort.Tensor("float32", new Float32Array(elementCount(dims)), dims);
  }

  /** Heads and lanes of a `past` input. */
  #sizes(past: string): [number, number] {
    const [, heads, , headDim] = this.#graph.inputs.find(({ name }) => name === past)!.dims;
    return [Number(heads), Number(headDim)];
  }
}

export function integers(values: readonly number[], dims: readonly number[]): ort.Tensor {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);
}
