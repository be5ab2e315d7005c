import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { encodeOnnx, GraphBuilder } from "@ringrank/model";
import { expect, it } from "vitest";
import { runWhole } from "../support/split-and-whole.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Matrices exceed 255 bytes: smaller ones are taken for constants of the structure. */
const width = 12;

/**
 * A graph in which sizes of the mask have separate names, as torch's newer exporter writes them if all sizes are
 * dynamic.
 */
function exported() {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "length", width]);
  const mask = g.input("mask", "float32", ["rows", "columns"]);
  const matrix = (seed: number) =>
    g.numbers(
      Array.from({ length: width * width }, (_, at) => Math.sin(at + seed)),
      [width, width],
    );
  const product = g.matmul(g.relu(g.matmul(x, matrix(1))), matrix(2));
  const viewed = g.node("Reshape", [mask, g.concat([g.shape(x, 0, 1), g.integers([-1])], 0)]);
  g.output("y", g.mul(product, g.unsqueeze(viewed, [2])), "float32", ["batch", "length", width]);
  return g.build();
}

it("sizes that operators require to be equal are one size, whatever an export calls them", async () => {
  const graph = exported();
  const path = join(temporaryDirectory({ "model.onnx": encodeOnnx(graph) }), "model.onnx");
  await using model = await loadModel(path, { ranks: 2 });
  const ones = (dims: readonly number[]) => ({
    type: "float32" as const,
    dims,
    data: new Float32Array(dims.reduce((count, size) => count * size, 1)).fill(1),
  });
  for (const [batch, length] of [
    [1, 5],
    [3, 2],
  ] as const) {
    const inputs = { x: ones([batch, length, width]), mask: ones([batch, length]) };
    const { y } = await model.run(inputs);
    const whole = await runWhole({ graph, contents: new Map() }, inputs);
    // Sums of a dozen numbers around 1, in another order.
    expect(y!.data).toBeAllclose(whole.y!.data as Float32Array, { rtol: 0, atol: 1e-5 });
  }
  await expect(model.run({ x: ones([2, 5, width]), mask: ones([3, 5]) })).rejects.toMatchObject({
    code: "RR_SHAPE",
    message: expect.stringContaining("[batch=2, length=5]"),
  });
});
