import type { TensorData } from "@ringrank/model";
import { bytesOf, type WeightShard } from "@ringrank/model/weights";
import type { Addends, NormalizeStep, RankProgram, RoutedStep, SizeProduct, Step } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { EmulatedProducts } from "./emulated-products.js";
import type { EmulatedSessions } from "./emulated-sessions.js";
import { type EmulatedTensor, zeros } from "./emulated-tensor.js";

/** The values of a rank, by name. */
export type Table = Map<string, EmulatedTensor>;

/** Sizes of the symbolic dimensions of a call. */
export type Symbols = ReadonlyMap<string, number>;

export type ReadShard = (shard: WeightShard) => TensorData;

/** One rank: runs the steps of its program, except collectives, in the most straightforward way. */
export class EmulatedRank {
  readonly program: RankProgram;
  readonly #sessions: readonly ort.InferenceSession[];
  readonly #products: EmulatedProducts;
  readonly #read: ReadShard;

  private constructor(program: RankProgram, sessions: readonly ort.InferenceSession[], read: ReadShard) {
    this.program = program;
    this.#sessions = sessions;
    this.#read = read;
    this.#products = new EmulatedProducts((name) => {
      const shard = program.weights[name]!;
      const { dims, weight } = shard;
      if (weight.type !== "bfloat16") return { weight: { type: weight.type, dims }, data: read(shard) };
      // What kernels read as bfloat16 is float32 to the runtime's operators.
      const type = "float32";
      return { weight: { type, dims }, data: read({ ...shard, weight: { ...weight, type } }) };
    });
  }

  static async open(
    program: RankProgram,
    read: ReadShard,
    sessions: EmulatedSessions,
  ): Promise<EmulatedRank> {
    const opened: ort.InferenceSession[] = [];
    for (const { onnx, initializers } of program.segments) {
      const weights = initializers.map((names) =>
        Uint8Array.from(Buffer.concat(names.map((name) => bytesOf(read(program.weights[name]!))))),
      );
      opened.push(await sessions.open(onnx, weights));
    }
    return new EmulatedRank(program, opened, read);
  }

  /** @param products of the matrices that a product step names; default: those of the program */
  async run(step: Step, table: Table, symbols: Symbols, products = this.#products): Promise<void> {
    if (step.kind === "zeros") {
      const dims = step.dims.map((size) => evaluate(size, symbols));
      table.set(step.value, zeros((step.type ?? "float32") as EmulatedTensor["type"], dims));
      return;
    }
    if (step.kind === "normalize") {
      this.add(table.get(step.value)!, step.added, table);
      table.set(step.output, this.#normalize(step, table.get(step.value)!));
      return;
    }
    if (step.kind === "routed") {
      table.set(step.output, await this.#everyExpert(step, table, symbols));
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
    const segment = this.program.segments[step.segment]!;
    const values = step.values ?? segment;
    const feeds: Record<string, ort.Tensor> = {};
    for (const [at, name] of segment.inputs.entries()) feeds[name] = toOrt(table.get(values.inputs[at]!)!);
    for (const name of segment.sharedWeights) {
      const shard = this.program.weights[name]!;
      const type = shard.weight.type as EmulatedTensor["type"];
      feeds[name] = toOrt({ type, dims: shard.dims, data: this.#read(shard) });
    }
    const results = await this.#sessions[step.segment]!.run(feeds, segment.outputs);
    for (const [at, name] of segment.outputs.entries()) {
      const { type, dims, data } = results[name]!;
      table.set(values.outputs[at]!, { type, dims, data } as EmulatedTensor);
    }
  }

  /** Adds the addends of a sum to it. */
  add(sum: EmulatedTensor, added: Addends | undefined, table: Table): void {
    for (const name of added?.rows ?? []) addTo(sum, this.#read(this.program.weights[name]!));
    if (added?.value !== undefined) addTo(sum, table.get(added.value)!.data);
  }

  #normalize(
    { scale, bias, epsilon, centered }: NormalizeStep,
    { data, dims }: EmulatedTensor,
  ): EmulatedTensor {
    const weightOf = (name: string) => this.#read(this.program.weights[name]!) as Float32Array;
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
    { rows, weights, expert: { steps, stacks, perExpert }, dims }: RoutedStep,
    table: Table,
    symbols: Symbols,
  ): Promise<EmulatedTensor> {
    const input = table.get(rows)!;
    const routing = table.get(weights)!;
    const [experts, count] = routing.dims as [number, number];
    const whole = stacks.map((name) => {
      const { weight, dims } = this.program.weights[name]!;
      const type = weight.type as EmulatedTensor["type"];
      return { name, type, dims, data: this.#read(this.program.weights[name]!) };
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
      for (const step of steps) await this.run(step, own, symbols, products);
      await products.close();
      for (const [at, value] of (own.get(perExpert)!.data as Float32Array).entries())
        sum[at]! += (routing.data as Float32Array)[expert * count + Math.floor(at / width)]! * value;
    }
    return { type: "float32", dims: outputDims, data: sum };
  }

  /** The sessions of its segments are closed with the group's. */
  async close(): Promise<void> {
    await this.#products.close();
  }
}

export function evaluate({ scale, symbols }: SizeProduct, sizes: Symbols): number {
  return symbols.reduce((size, symbol) => size * sizes.get(symbol)!, scale);
}

/** @param addend as many elements as the sum, or one row, which is added to each row */
function addTo(sum: EmulatedTensor, addend: TensorData): void {
  const [x, y] = [sum.data as Float32Array, addend as Float32Array];
  for (let i = 0; i < x.length; i++) x[i]! += y[i % y.length]!;
}

function toOrt({ type, dims, data }: EmulatedTensor): ort.Tensor {
  return new ort.Tensor(type, data as Float32Array, dims);
}
