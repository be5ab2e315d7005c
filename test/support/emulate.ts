import type { TensorData } from "@ringrank/model";
import { allocate, bytesOf, type WeightShard } from "@ringrank/model/weights";
import type {
  Addends,
  Entry,
  NormalizeStep,
  RankProgram,
  RoutedStep,
  SizeProduct,
  Step,
  ValueShard,
} from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { EmulatedProducts } from "./emulate-product.js";

/** A tensor between steps, as in the table of a rank. */
export interface EmulatedTensor {
  readonly type: "float32" | "int64" | "bool" | "int32" | "uint8" | "int8" | "float16";
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/**
 * Runs the programs of all ranks in turn on one thread, step by step, with a plain sum in place of an all-reduce. There
 * are no threads and no shared memory, so whatever fails here is a fault of the policy.
 */
export class EmulatedGroup {
  readonly #programs: readonly RankProgram[];
  readonly #sessions: ort.InferenceSession[][] = [];
  /** By rank. */
  readonly #products: readonly EmulatedProducts[];
  readonly #read: (shard: WeightShard) => TensorData;
  /** By rank: the caches that one entry has filled for another, under the names by which it reads them. */
  readonly #filled: Map<string, EmulatedTensor>[];

  private constructor(programs: readonly RankProgram[], read: (shard: WeightShard) => TensorData) {
    this.#programs = programs;
    this.#read = read;
    this.#filled = programs.map(() => new Map());
    this.#products = programs.map(
      ({ weights }) =>
        new EmulatedProducts((name) => {
          const { weight, dims } = weights[name]!;
          return { weight: { type: weight.type, dims }, data: read(weights[name]!) };
        }),
    );
  }

  static async open(
    programs: readonly RankProgram[],
    read: (shard: WeightShard) => TensorData,
  ): Promise<EmulatedGroup> {
    const group = new EmulatedGroup(programs, read);
    for (const program of programs) {
      const sessions: ort.InferenceSession[] = [];
      for (const { onnx, initializers } of program.segments) {
        const externalData = initializers.map((names, index) => {
          const parts = names.map((name) => bytesOf(read(program.weights[name]!)));
          return { path: String(index), data: Uint8Array.from(Buffer.concat(parts)) };
        });
        sessions.push(
          await ort.InferenceSession.create(onnx, {
            externalData,
            intraOpNumThreads: 1,
            // Each session runs once or twice: optimizing it would take longer than running it.
            graphOptimizationLevel: "disabled",
            logSeverityLevel: 4,
            // As in ranks: float activations are not rounded because of a share's shape.
            extra: { session: { qdq_matmulnbits_accuracy_level: "1" } },
          }),
        );
      }
      group.#sessions.push(sessions);
    }
    return group;
  }

  /**
   * Returns whole outputs by name, assembled from the ranks that hold their shares. Caches must be empty and states
   * zero, except for those that another entry fills: each rank reads what that entry last wrote there.
   *
   * @param wanted `caches`: every rank skips the steps that compute none of these
   */
  async run(
    entry: string,
    inputs: Readonly<Record<string, EmulatedTensor>>,
    wanted: "all" | "caches" = "all",
  ): Promise<Record<string, EmulatedTensor>> {
    const entries = this.#programs.map((program) => {
      const whole = program.entries[entry]!;
      return wanted === "all" ? whole : { ...whole, steps: whole.steps.slice(0, whole.cacheSteps) };
    });
    const symbols = bindSymbols(entries[0]!, inputs);
    const tables = entries.map(({ inputs: wanted, recurrent = [] }, rank) => {
      const table = new Map(this.#filled[rank]);
      for (const { name, dims } of wanted) {
        const whole = inputs[name];
        if (whole === undefined) continue;
        const sizes = dims.map((size) => evaluate(size, symbols));
        const isKept = sizes.includes(0) || recurrent.some(({ past }) => past === name);
        table.set(name, isKept ? zeros(whole.type, sizes) : whole);
      }
      return table;
    });
    const at = entries.map(() => 0);
    for (;;) {
      for (const [rank, { steps }] of entries.entries()) {
        while (at[rank]! < steps.length && !isCollective(steps[at[rank]!]!)) {
          await this.#step(rank, steps[at[rank]!++]!, tables[rank]!, symbols);
        }
      }
      const pending = entries.map(({ steps }, rank) => steps[at[rank]!++]);
      if (pending.every((step) => step === undefined)) break;
      const [step] = pending;
      const parts = pending.map((mine, rank) => tables[rank]!.get(broughtBy(mine))!);
      if (step?.kind === "allReduce") {
        reduceOver(parts, step.operation === "max" ? Math.max : (a, b) => a + b);
        for (const [rank, mine] of pending.entries())
          if (mine?.kind === "allReduce") this.#add(rank, parts[rank]!, mine.added, tables[rank]!);
      } else if (step?.kind === "allGather") {
        const whole = joinShards(parts, step.shard);
        for (const table of tables) table.set(step.output, whole);
      }
    }
    this.#keep(entry, tables);
    return this.#collect(entries, tables);
  }

  #keep(entry: string, tables: readonly ReadonlyMap<string, EmulatedTensor>[]): void {
    const caches = Object.values(this.#programs[0]!.entries).flatMap(({ caches }) => caches);
    const filled = caches.filter(({ filledBy }) => filledBy === entry).flatMap(({ states }) => states);
    for (const [rank, table] of tables.entries()) {
      for (const { past, present } of filled) {
        const value = table.get(present);
        if (value !== undefined) this.#filled[rank]!.set(past, value);
      }
    }
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.flat()) await session.release();
    for (const products of this.#products) await products.close();
  }

  async #step(
    rank: number,
    step: Step,
    table: Map<string, EmulatedTensor>,
    symbols: ReadonlyMap<string, number>,
    products = this.#products[rank]!,
  ): Promise<void> {
    if (step.kind === "zeros") {
      const dims = step.dims.map((size) => evaluate(size, symbols));
      table.set(step.value, zeros((step.type ?? "float32") as EmulatedTensor["type"], dims));
      return;
    }
    if (step.kind === "normalize") {
      this.#add(rank, table.get(step.value)!, step.added, table);
      table.set(step.output, this.#normalize(rank, step, table.get(step.value)!));
      return;
    }
    if (step.kind === "routed") {
      table.set(step.output, await this.#everyExpert(rank, step, table, symbols));
      return;
    }
    if (step.kind === "product") {
      const { data, dims } = table.get(step.value)!;
      const outputs = await products.run(step, { data: data as Float32Array, dims });
      for (const [at, { name }] of step.outputs.entries())
        table.set(name, { type: "float32", ...outputs[at]! });
      return;
    }
    if (step.kind !== "run") throw new TypeError(`the emulator has no ${step.kind}`);
    const program = this.#programs[rank]!;
    const segment = program.segments[step.segment]!;
    const values = step.values ?? segment;
    const feeds: Record<string, ort.Tensor> = {};
    for (const [at, name] of segment.inputs.entries()) feeds[name] = toOrt(table.get(values.inputs[at]!)!);
    for (const name of segment.sharedWeights) {
      const shard = program.weights[name]!;
      const type = shard.weight.type as EmulatedTensor["type"];
      feeds[name] = toOrt({ type, dims: shard.dims, data: this.#read(shard) });
    }
    const results = await this.#sessions[rank]![step.segment]!.run(feeds, segment.outputs);
    for (const [at, name] of segment.outputs.entries()) {
      const { type, dims, data } = results[name]!;
      table.set(values.outputs[at]!, { type, dims, data } as EmulatedTensor);
    }
  }

  #add(
    rank: number,
    sum: EmulatedTensor,
    added: Addends | undefined,
    table: ReadonlyMap<string, EmulatedTensor>,
  ): void {
    for (const name of added?.rows ?? []) addTo(sum, this.#read(this.#programs[rank]!.weights[name]!));
    if (added?.value !== undefined) addTo(sum, table.get(added.value)!.data);
  }

  #normalize(
    rank: number,
    { scale, bias, epsilon, centered }: NormalizeStep,
    { data, dims }: EmulatedTensor,
  ): EmulatedTensor {
    const weightOf = (name: string) => this.#read(this.#programs[rank]!.weights[name]!) as Float32Array;
    const [scales, biases] = [weightOf(scale), bias === undefined ? undefined : weightOf(bias)];
    const width = scales.length;
    const normalized = new Float32Array(data.length);
    for (let start = 0; start < data.length; start += width) {
      const row = (data as Float32Array).subarray(start, start + width);
      const mean = centered ? row.reduce((sum, x) => sum + x, 0) / width : 0;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width;
      for (const [i, x] of row.entries()) {
        normalized[start + i] =
          (scales[i]! * (x - mean)) / Math.sqrt(variance + epsilon) + (biases?.[i] ?? 0);
      }
    }
    return { type: "float32", dims, data: normalized };
  }

  /** The straightforward way: every expert on every row, then the weighted sum. */
  async #everyExpert(
    rank: number,
    { rows, weights, expert: { steps, stacks, perExpert }, dims }: RoutedStep,
    table: ReadonlyMap<string, EmulatedTensor>,
    symbols: ReadonlyMap<string, number>,
  ): Promise<EmulatedTensor> {
    const input = table.get(rows)!;
    const routing = table.get(weights)!;
    const [experts, count] = routing.dims as [number, number];
    const whole = stacks.map((name) => {
      const { weight, dims } = this.#programs[rank]!.weights[name]!;
      const type = weight.type as EmulatedTensor["type"];
      return { name, type, dims, data: this.#read(this.#programs[rank]!.weights[name]!) };
    });
    const outputDims = dims.map((size) => evaluate(size, symbols));
    const sum = new Float32Array(outputDims.reduce((product, size) => product * size, 1));
    const width = sum.length / count;
    for (let expert = 0; expert < experts; expert++) {
      const own = new Map([[rows, input]]);
      for (const { name, type, dims, data } of whole) {
        const size = data.length / experts;
        const part = data.subarray(expert * size, (expert + 1) * size);
        own.set(name, { type, dims: [1, ...dims.slice(1)], data: part });
      }
      const products = new EmulatedProducts((name) => {
        const { type, dims, data } = own.get(name)!;
        return { weight: { type, dims: dims.slice(1) }, data };
      });
      for (const step of steps) await this.#step(rank, step, own, symbols, products);
      await products.close();
      for (const [at, value] of (own.get(perExpert)!.data as Float32Array).entries())
        sum[at]! += (routing.data as Float32Array)[expert * count + Math.floor(at / width)]! * value;
    }
    return { type: "float32", dims: outputDims, data: sum };
  }

  #collect(
    entries: readonly Entry[],
    tables: readonly Map<string, EmulatedTensor>[],
  ): Record<string, EmulatedTensor> {
    const whole: Record<string, EmulatedTensor> = {};
    for (const { name, shard } of entries[0]!.outputs) {
      const parts = tables.map((table) => table.get(name));
      if (parts.every((part) => part === undefined)) continue;
      whole[name] = shard === undefined ? parts[0]! : joinShards(parts, shard);
    }
    return whole;
  }
}

function bindSymbols(entry: Entry, inputs: Readonly<Record<string, EmulatedTensor>>): Map<string, number> {
  const symbols = new Map<string, number>();
  for (const { name, dims } of entry.inputs) {
    dims.forEach(({ scale, symbols: [symbol, ...others] }, axis) => {
      if (scale === 1 && symbol !== undefined && others.length === 0)
        if (inputs[name] !== undefined) symbols.set(symbol, inputs[name].dims[axis]!);
    });
  }
  return symbols;
}

function evaluate({ scale, symbols }: SizeProduct, sizes: ReadonlyMap<string, number>): number {
  return symbols.reduce((size, symbol) => size * sizes.get(symbol)!, scale);
}

function zeros(type: EmulatedTensor["type"], dims: readonly number[]): EmulatedTensor {
  const count = dims.reduce((product, size) => product * size, 1);
  return { type, dims, data: allocate(type, count) };
}

function isCollective({ kind }: Step): boolean {
  return kind === "allReduce" || kind === "allGather";
}

/** Describes a rank's contribution to a collective. */
function broughtBy(step: Step | undefined): string {
  if (step?.kind === "allReduce" || step?.kind === "allGather") return step.value;
  throw new TypeError("every rank meets the same collectives");
}

function reduceOver(values: readonly EmulatedTensor[], combine: (a: number, b: number) => number): void {
  const [first, ...others] = values.map(({ data }) => {
    if (data instanceof Float32Array || data instanceof Int32Array) return data;
    throw new TypeError("expected float32 or int32 to be reduced over ranks");
  });
  for (const other of others) {
    for (let i = 0; i < first!.length; i++) first![i] = combine(first![i]!, other[i]!);
  }
  for (const other of others) other.set(first!);
}

/** @param addend as many elements as the sum, or one row, which is added to each row */
function addTo(sum: EmulatedTensor, addend: TensorData): void {
  const [x, y] = [sum.data as Float32Array, addend as Float32Array];
  for (let i = 0; i < x.length; i++) x[i]! += y[i % y.length]!;
}

function toOrt({ type, dims, data }: EmulatedTensor): ort.Tensor {
  return new ort.Tensor(type, data as Float32Array, dims);
}

/** The products of the sizes before one axis and after it. */
function around(dims: readonly number[], axis: number): { outer: number; inner: number } {
  const product = (sizes: readonly number[]): number => sizes.reduce((count, size) => count * size, 1);
  return { outer: product(dims.slice(0, axis)), inner: product(dims.slice(axis + 1)) };
}

function joinShards(
  parts: readonly (EmulatedTensor | undefined)[],
  { axis, size, intervals }: ValueShard,
): EmulatedTensor {
  const first = parts.find((part) => part !== undefined)!;
  const { outer, inner } = around(first.dims, axis);
  const data = allocate(first.type, outer * size * inner) as Float32Array;
  parts.forEach((part, rank) => {
    if (part === undefined) return;
    const indices = intervals[rank]!.flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    for (let o = 0; o < outer; o++) {
      indices.forEach((index, i) => {
        const from = (o * indices.length + i) * inner;
        data.set((part.data as Float32Array).subarray(from, from + inner), (o * size + index) * inner);
      });
    }
  });
  return { ...first, dims: first.dims.with(axis, size), data };
}
