import { encodeOnnx, type TensorData, type Weight } from "@ringrank/model";
import type { ProductMatrix, ProductStep } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { productNode } from "../product-node.js";

/** Rows and their width: the input of matrices, or the output of one of them. */
interface Rows {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Computes product steps as ONNX Runtime does within a segment, with a session for each matrix. */
export class EmulatedProducts {
  readonly #read: (name: string) => { readonly weight: Pick<Weight, "type" | "dims">; data: TensorData };
  readonly #sessions = new Map<ProductMatrix, ort.InferenceSession>();

  /** @param read reads a weight of the program */
  constructor(read: (name: string) => { readonly weight: Pick<Weight, "type" | "dims">; data: TensorData }) {
    this.#read = read;
  }

  /** Returns the results in the order of the step's outputs. */
  async run(step: ProductStep, { data, dims }: Rows): Promise<Rows[]> {
    const count = data.length / step.width;
    const x = new ort.Tensor("float32", data, [count, step.width]);
    return Promise.all(
      step.outputs.map(async ({ matrices }): Promise<Rows> => {
        const columns = matrices.reduce((sum, { rows }) => sum + rows, 0);
        const whole = new Float32Array(count * columns);
        let at = 0;
        for (const matrix of matrices) {
          const { y } = await (await this.#session(step, matrix)).run({ x });
          const part = y!.data as Float32Array;
          for (let row = 0; row < count; row++)
            whole.set(part.subarray(row * matrix.rows, (row + 1) * matrix.rows), row * columns + at);
          at += matrix.rows;
        }
        return { dims: dims.with(-1, columns), data: whole };
      }),
    );
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }

  async #session(step: ProductStep, matrix: ProductMatrix): Promise<ort.InferenceSession> {
    const known = this.#sessions.get(matrix);
    if (known !== undefined) return known;
    const { rows, ...names } = matrix;
    const weights = Object.values(names).map((name): [string, Weight] => {
      const { weight, data } = this.#read(name);
      return [name, { ...weight, source: { kind: "inline", data } }];
    });
    const session = await ort.InferenceSession.create(
      encodeOnnx({
        opsets: { "": 21, "com.microsoft": 1 },
        inputs: [{ name: "x", type: "float32", dims: ["rows", step.width] }],
        outputs: [{ name: "y", type: "float32", dims: ["rows", rows] }],
        nodes: [productNode(step, matrix, 4)],
        weights: new Map(weights),
        caches: [],
      }),
      { intraOpNumThreads: 1, logSeverityLevel: 3 },
    );
    this.#sessions.set(matrix, session);
    return session;
  }
}
