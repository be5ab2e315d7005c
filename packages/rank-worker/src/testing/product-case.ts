import { encodeOnnx, type Graph } from "@ringrank/model";
import {
  type FloatProductMatrix,
  makeFloatSegment,
  makeIntegerSegment,
  type ProductMatrix,
  type ProductOutput,
  type ProductStep,
  type QuantizedProductMatrix,
} from "@ringrank/policy";
import { productNode } from "../../../../test/support/product-node.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { FloatMultiplier } from "../products/floats/float-multiplier.js";
import type { ProductWeights } from "../products/matrix.js";
import type { Multiplier, RunSegment, SegmentType } from "../products/multiplier.js";
import { blocksOf } from "../products/quantized/blocks.js";
import { IntegerProduct } from "../products/quantized/many-rows/integer-product.js";
import { QuantizedMultiplier } from "../products/quantized/quantized-multiplier.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import { openPublicSession } from "../sessions/public-session.js";
import { Tensor, tensor } from "../tensors/tensor.js";

export interface ProductCase {
  /** Of a weight: 32 means float32, and 16 bfloat16, which products of floats read as well. */
  readonly bits: 4 | 8 | 16 | 32;
  /** Elements of a row. */
  readonly width: number;
  /** By output: its matrices. */
  readonly outputs: readonly (readonly MatrixCase[])[];
}

export interface MatrixCase {
  readonly rows: number;
  readonly hasBias?: boolean;
  /** The kernels whose memory contains the weights; default: none. */
  readonly kernels?: RankKernels | undefined;
}

/** A step with its weights. */
export interface PreparedProduct {
  readonly step: ProductStep;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** The values of one output are adjacent, followed by its biases, as a rank places those of float32 matrices. */
export function prepareProduct({ bits, width, outputs }: ProductCase): PreparedProduct {
  const random = randomNumbers(bits * width + outputs.length);
  const weights = new Map<string, Tensor>();
  const blocks = blocksOf(width);
  const put = (name: string, data: MatrixData, dims: readonly number[], kernels?: RankKernels) => {
    weights.set(name, new Tensor(typeOf(data), kernels === undefined ? data : placed(data, kernels), dims));
    return name;
  };
  const product = { kind: "product", value: "x", width } as const;
  const step: ProductStep =
    bits === 32 || bits === 16
      ? { ...product, bits: 32, outputs: outputsBy(floatMatrix), segments: { float32: 0 } }
      : { ...product, bits, outputs: outputsBy(quantizedMatrix), segments: { int8: 0, uint8: 1 } };
  return { step, weights };

  function outputsBy<M extends ProductMatrix>(
    matrixOf: (name: string, { rows, kernels }: MatrixCase) => M,
  ): ProductOutput<M>[] {
    return outputs.map((cases, output) => {
      const matrices = cases.map((one, at) => matrixOf(`${output}.${at}`, one));
      const withBiases = matrices.map((matrix, at): M => {
        const { rows, hasBias = false, kernels } = cases[at]!;
        const bias = Float32Array.from({ length: rows }, () => random() - 0.5);
        return hasBias ? { ...matrix, bias: put(`${output}.${at}.bias`, bias, [rows], kernels) } : matrix;
      });
      return { name: `y${output}`, matrices: withBiases };
    });
  }

  function floatMatrix(name: string, { rows, kernels }: MatrixCase): FloatProductMatrix {
    const floats = Float32Array.from({ length: rows * width }, () => random() - 0.5);
    const values =
      bits === 16 ? Uint16Array.from(new Uint32Array(floats.buffer), (one) => one >>> 16) : floats;
    return { rows, values: put(`${name}.values`, values, [rows, width], kernels) };
  }

  function quantizedMatrix(name: string, { rows, kernels }: MatrixCase): QuantizedProductMatrix {
    const values = Uint8Array.from({ length: rows * blocks * 4 * bits }, () => random() * 256);
    const scales = Float32Array.from({ length: rows * blocks }, () => (random() + 0.1) / 2 ** bits);
    return {
      rows,
      values: put(`${name}.values`, values, [rows, blocks, 4 * bits], kernels),
      scales: put(`${name}.scales`, scales, [rows, blocks], kernels),
    };
  }
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

const segments = {
  int8: makeIntegerSegment("int8"),
  uint8: makeIntegerSegment("uint8"),
  float32: makeFloatSegment(),
};

/** One session of each type, shared by all tests in a file. */
const sessions = new Map<SegmentType, OrtSession | Promise<OrtSession>>();

function sessionOf(type: SegmentType): OrtSession | Promise<OrtSession> {
  const session = sessions.get(type) ?? openPublicSession(segments[type].onnx, sessionOptions);
  sessions.set(type, session);
  return session;
}

/** Multiplies as product steps do, by sessions of their segments, and records the calls of these. */
export function productSessions(): {
  readonly multiplierOf: (prepared: PreparedProduct, kernelsOf: ProductWeights["kernelsOf"]) => Multiplier;
  readonly run: RunSegment;
  readonly runs: SegmentType[];
} {
  const integers = new IntegerProduct(segments);
  const runs: SegmentType[] = [];
  return {
    multiplierOf: ({ step, weights }, kernelsOf) => {
      const source = { weightOf: (name: string) => weights.get(name)!, kernelsOf };
      // The runtime's own operators read the weights as well.
      const streamed = new StreamedScales(weights.values());
      return step.bits === 32
        ? new FloatMultiplier(step, segments.float32, source)
        : new QuantizedMultiplier(step, integers, source, streamed);
    },
    runs,
    run: async (type, feeds, into) => {
      runs.push(type);
      return await (await sessionOf(type)).run(feeds, into);
    },
  };
}

const sessionOptions = { logSeverityLevel: 3, intraOpNumThreads: 1 } as const;

/**
 * The step computed by ONNX Runtime's own operators, by output. For quantized weights, accuracy level 4 rounds
 * activations to int8, and 1 does not.
 */
export async function byRuntime(
  { step, weights }: PreparedProduct,
  value: Tensor,
  accuracyLevel: 1 | 4,
): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const { matrices } of step.outputs) {
    const parts: { rows: number; data: Float32Array }[] = [];
    for (const matrix of matrices) {
      const node = productNode(step, matrix, accuracyLevel);
      const names = node.inputs.slice(1).filter((name) => name !== "");
      const graph: Graph = {
        opsets: { "": 21, "com.microsoft": 1 },
        inputs: [{ name: "x", type: "float32", dims: ["rows", step.width] }],
        outputs: [{ name: "y", type: "float32", dims: ["rows", matrix.rows] }],
        nodes: [node],
        weights: new Map(
          names.map((name) => {
            const { dims, data } = weights.get(name)!;
            const source = { kind: "inline", data: widened(data as MatrixData) } as const;
            return [name, { type: typeOf(source.data) as "float32" | "uint8", dims, source }];
          }),
        ),
        caches: [],
      };
      const session = await openPublicSession(encodeOnnx(graph), sessionOptions);
      const { y } = await session.run({ x: value }, { y: null });
      await session.release();
      parts.push({ rows: matrix.rows, data: y!.data as Float32Array });
    }
    results.push(sideBySide(parts));
  }
  return results;
}

/** Concatenates the rows of all parts side by side. */
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

type MatrixData = Uint8Array | Uint16Array | Float32Array;

function typeOf(data: MatrixData): "uint8" | "bfloat16" | "float32" {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Uint8Array ? "uint8" : "bfloat16";
}

/** With bfloat16 as the floats that it stands for. */
function widened(data: MatrixData): Uint8Array | Float32Array {
  if (!(data instanceof Uint16Array)) return data;
  return new Float32Array(Uint32Array.from(data, (one) => one << 16).buffer);
}

function placed(data: MatrixData, { memory }: RankKernels): MatrixData {
  const { buffer, byteOffset } = memory.floats(Math.ceil(data.byteLength / 4))!;
  const Type = data.constructor as new (buffer: ArrayBufferLike, start: number, length: number) => MatrixData;
  const view = new Type(buffer, byteOffset, data.length);
  view.set(data);
  return view;
}

/** Numbers from 0 to 1, repeatable by seed: a Lehmer generator. */
function randomNumbers(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
