import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { ConfigReader } from "../../checkpoint/index.js";
import { GraphBuilder } from "../../graph/index.js";
import { encodeOnnx } from "../../onnx/index.js";
import { activate } from "./activations.js";

const inputs = [-4, -1.5, -0.25, 0.5, 3, 12];

// By transformers' own functions (5.18), rounded to six digits.
it.each<[string, readonly number[]]>([
  ["silu", [-0.0719448, -0.273638, -0.109456, 0.31123, 2.85772, 11.9999]],
  ["gelu", [-0.000126481, -0.100211, -0.100323, 0.345731, 2.99595, 12]],
  ["gelu_new", [-7.02143e-5, -0.100428, -0.100325, 0.345714, 2.99636, 12]],
  ["gelu_accurate", [-7.02143e-5, -0.100428, -0.100325, 0.345714, 2.99636, 12]],
  ["gelu_python_tanh", [-7.02143e-5, -0.100428, -0.100325, 0.345714, 2.99636, 12]],
  ["gelu_10", [-0.000126481, -0.100211, -0.100323, 0.345731, 2.99595, 10]],
  ["quick_gelu", [-0.00441472, -0.108338, -0.0988003, 0.350388, 2.98193, 12]],
  ["tanh", [-0.999329, -0.905148, -0.244919, 0.462117, 0.995055, 1]],
  ["sigmoid", [0.0179862, 0.182426, 0.437824, 0.622459, 0.952574, 0.999994]],
  ["mish", [-0.0725918, -0.2981, -0.129927, 0.375245, 2.98654, 12]],
  ["relu", [0, 0, 0, 0.5, 3, 12]],
  ["relu6", [0, 0, 0, 0.5, 3, 6]],
  ["relu2", [0, 0, 0, 0.25, 9, 144]],
  ["sqrtsoftplus", [0.134722, 0.448791, 0.758907, 0.986953, 1.74602, 3.4641]],
  ["hardswish", [0, -0.375, -0.114583, 0.291667, 3, 12]],
  ["laplace", [0, 0, 0.000345856, 0.231421, 1, 1]],
  ["linear", [-4, -1.5, -0.25, 0.5, 3, 12]],
  ["leaky_relu", [-0.04, -0.015, -0.0025, 0.5, 3, 12]],
])("%s is what transformers computes", async (name, expected) => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", [inputs.length]);
  const y = activate({ g, config: new ConfigReader({}) }, name, x);
  g.output("y", y, "float32", [inputs.length]);
  const session = await ort.InferenceSession.create(encodeOnnx(g.build()));
  const result = await session.run({ x: new ort.Tensor("float32", Float32Array.from(inputs), [6]) });
  await session.release();
  expect(result.y!.data as Float32Array).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-6 });
});
