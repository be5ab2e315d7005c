import { encodeOnnx, type Graph, type GraphNode } from "@ringrank/model";
import { makeProductSegment, type ProductStep, type QuantizedMatrix } from "@ringrank/policy";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { blocksOf } from "../products/blocks.js";
import { type ActivationType, IntegerProduct, type RunIntegers } from "../products/integer-product.js";
import { openPublicSession } from "../sessions/ort-binding.js";
import { type Tensor, tensor } from "../tensors/tensor.js";

export interface ProductCase {
  readonly bits: 4 | 8;
  /** Elements of a row. */
  readonly width: number;
  /** By output: its matrices. */
  readonly outputs: readonly (readonly MatrixCase[])[];
}

export interface MatrixCase {
  readonly rows: number;
  readonly hasBias?: boolean;
  /** In whose memory it lies; default: in none. */
  readonly kernels?: RankKernels | undefined;
}

/** A step with its weights. */
export interface PreparedProduct {
  readonly step: ProductStep;
  readonly weights: ReadonlyMap<string, Tensor>;
}

export function prepareProduct({ bits, width, outputs }: ProductCase): PreparedProduct {
  const random = randomNumbers(bits * width + outputs.length);
  const weights = new Map<string, Tensor>();
  const blocks = blocksOf(width);
  const put = (
    name: string,
    data: Uint8Array | Float32Array,
    dims: readonly number[],
    kernels?: RankKernels,
  ) => {
    const type = data instanceof Uint8Array ? "uint8" : "float32";
    weights.set(name, tensor(type, kernels === undefined ? data : placed(data, kernels), dims));
    return name;
  };
  const prepared = outputs.map((matrices, output) => ({
    name: `y${output}`,
    matrices: matrices.map(({ rows, hasBias = false, kernels }, at): QuantizedMatrix => {
      const name = `${output}.${at}`;
      const values = Uint8Array.from({ length: rows * blocks * 4 * bits }, () => random() * 256);
      const scales = Float32Array.from({ length: rows * blocks }, () => (random() + 0.1) / 2 ** bits);
      const bias = Float32Array.from({ length: rows }, () => random() - 0.5);
      return {
        rows,
        values: put(`${name}.values`, values, [rows, blocks, 4 * bits], kernels),
        scales: put(`${name}.scales`, scales, [rows, blocks], kernels),
        ...(hasBias && { bias: put(`${name}.bias`, bias, [rows], kernels) }),
      };
    }),
  }));
  return {
    step: { kind: "product", value: "x", width, bits, outputs: prepared, segments: { int8: 0, uint8: 1 } },
    weights,
  };
}

/** `[rows, width]`. */
export function activations(rows: number, width: number): Tensor {
  const random = randomNumbers(rows * width);
  return tensor(
    "float32",
    Float32Array.from({ length: rows * width }, () => random() * 4 - 2),
    [rows, width],
  );
}

/** Sessions of the segments of product steps, and what they are asked. */
export async function integerProduct(): Promise<{
  readonly integers: IntegerProduct;
  readonly run: RunIntegers;
  readonly runs: ActivationType[];
}> {
  const segments = { int8: makeProductSegment("int8"), uint8: makeProductSegment("uint8") };
  const options = { logSeverityLevel: 3, intraOpNumThreads: 1 } as const;
  const sessions = {
    int8: await openPublicSession(segments.int8.onnx, options),
    uint8: await openPublicSession(segments.uint8.onnx, options),
  };
  const runs: ActivationType[] = [];
  return {
    integers: new IntegerProduct(segments),
    runs,
    run: (type, feeds, into) => {
      runs.push(type);
      return sessions[type].run(feeds, into);
    },
  };
}

/** The step by ONNX Runtime's own operator, by output. Accuracy level 4 rounds activations to int8, 1 does not. */
export async function byMatMulNBits(
  { step, weights }: PreparedProduct,
  value: Tensor,
  accuracyLevel: 1 | 4,
): Promise<Float32Array[]> {
  const { bits, width } = step;
  const results: Float32Array[] = [];
  for (const { matrices } of step.outputs) {
    const parts: { rows: number; data: Float32Array }[] = [];
    for (const { rows, values, scales, bias } of matrices) {
      const names = [values, scales, ...(bias === undefined ? [] : ["", "", bias])];
      const node: GraphNode = {
        opType: "MatMulNBits",
        domain: "com.microsoft",
        inputs: ["x", ...names],
        outputs: ["y"],
        attributes: Object.fromEntries(
          Object.entries({ K: width, N: rows, bits, block_size: 32, accuracy_level: accuracyLevel }).map(
            ([name, value]) => [name, { kind: "int", value }],
          ),
        ),
      };
      const graph: Graph = {
        opsets: { "": 21, "com.microsoft": 1 },
        inputs: [{ name: "x", type: "float32", dims: ["rows", width] }],
        outputs: [{ name: "y", type: "float32", dims: ["rows", rows] }],
        nodes: [node],
        weights: new Map(
          names
            .filter((name) => name !== "")
            .map((name) => {
              const { type, dims, data } = weights.get(name)!;
              return [
                name,
                { type: type as "float32", dims, source: { kind: "inline", data: data as Float32Array } },
              ];
            }),
        ),
        caches: [],
      };
      const session = await openPublicSession(encodeOnnx(graph), {
        logSeverityLevel: 3,
        intraOpNumThreads: 1,
      });
      const { y } = await session.run({ x: value }, { y: null });
      await session.release();
      parts.push({ rows, data: y!.data as Float32Array });
    }
    results.push(sideBySide(parts));
  }
  return results;
}

/** Rows of each, one after the other in a row. */
function sideBySide(parts: readonly { readonly rows: number; readonly data: Float32Array }[]): Float32Array {
  const width = parts.reduce((sum, { rows }) => sum + rows, 0);
  const rows = parts[0]!.data.length / parts[0]!.rows;
  const all = new Float32Array(rows * width);
  let offset = 0;
  for (const { rows: count, data } of parts) {
    for (let row = 0; row < rows; row++)
      all.set(data.subarray(row * count, (row + 1) * count), row * width + offset);
    offset += count;
  }
  return all;
}

function placed(data: Uint8Array | Float32Array, { memory }: RankKernels): Uint8Array | Float32Array {
  const { buffer, byteOffset } = memory.floats(Math.ceil(data.byteLength / 4))!;
  const Type = data instanceof Uint8Array ? Uint8Array : Float32Array;
  const view = new Type(buffer as ArrayBuffer, byteOffset, data.length);
  view.set(data);
  return view;
}

/** From 0 to 1, the same for the same seed: a generator of Lehmer. */
function randomNumbers(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
