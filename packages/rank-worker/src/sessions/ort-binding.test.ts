import { describe, expect, test } from "vitest";
import { Tensor } from "../tensors/tensor.js";
import { encodeTinyOnnx } from "../testing/tiny-onnx.js";
import { findSynchronousBinding, type OpenSession, selfCheckModel } from "./ort-binding.js";
import { openPublicSession } from "./public-session.js";
import { sessionOptions, sessionThreads } from "./session-options.js";

const adder = encodeTinyOnnx({
  inputs: [{ name: "x", dims: [2] }],
  outputs: [{ name: "y", dims: [2] }],
  nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }],
});

const projection = encodeTinyOnnx({
  inputs: [{ name: "x", dims: ["rows", 16] }],
  outputs: [
    { name: "y", dims: ["rows", 8] },
    { name: "shape", type: "int64", dims: [2] },
  ],
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["product"] },
    { op: "Tanh", inputs: ["product"], outputs: ["y"] },
    { op: "Shape", inputs: ["y"], outputs: ["shape"] },
  ],
  weights: [{ name: "w", dims: [16, 8] }],
});

const weight = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i));
const options = sessionOptions(sessionThreads(1, 1), {
  externalData: [{ path: "0", data: new Uint8Array(weight.buffer) }],
});
const feeds = {
  x: new Tensor(
    "float32",
    Float32Array.from({ length: 48 }, (_, i) => Math.cos(i)),
    [3, 16],
  ),
};

const opened: [string, OpenSession][] = [
  ["the synchronous binding", findSynchronousBinding()!],
  ["the public API", openPublicSession],
];

describe.each(opened)("a tensor given to %s to write to", (_, open) => {
  test.each([3, 8192])("is returned by the run, with its %i rows", async (rows) => {
    const session = await open(projection, options);
    const x = new Tensor("float32", new Float32Array(rows * 16).fill(0.5), [rows, 16]);
    const y = new Tensor("float32", new Float32Array(rows * 8), [rows, 8]);
    const made = await session.run({ x }, { y: null, shape: null });
    const written = await session.run({ x }, { y, shape: null });
    expect(written.y).toBe(y);
    expect(y.data).toEqual(made.y!.data);
    expect(written.shape!.data).toEqual(made.shape!.data);
    await session.release();
  });
});

describe("the synchronous binding", () => {
  test("is found in the installed version of onnxruntime-node", () => {
    expect(findSynchronousBinding()).toBeDefined();
  });

  test("is checked with a model equal to the encoder's", () => {
    expect(Buffer.from(selfCheckModel).toString("base64")).toBe(Buffer.from(adder).toString("base64"));
  });

  test("gives the same bits as the public API, synchronously", async () => {
    const synchronous = await findSynchronousBinding()!(projection, options);
    const published = await openPublicSession(projection, options);
    const fetches = { y: null, shape: null };
    const now = synchronous.run(feeds, fetches);
    expect(now).not.toBeInstanceOf(Promise);
    const direct = await now;
    const awaited = await published.run(feeds, fetches);
    expect(direct.y!.data).toEqual(awaited.y!.data);
    expect(direct.y!.dims).toEqual([3, 8]);
    expect(direct.shape!.data).toEqual(BigInt64Array.of(3n, 8n));
    expect(direct.y!.type).toBe("float32");
    await synchronous.release();
    await published.release();
  });

  test("computes the product with the given external data", async () => {
    const session = await findSynchronousBinding()!(projection, options);
    const { y } = await session.run(feeds, { y: null });
    expect(y).toBeInstanceOf(Tensor);
    const x = feeds.x.data as Float32Array;
    const expected = Array.from({ length: 24 }, (_, at) => {
      let sum = 0;
      for (let k = 0; k < 16; k++) sum += x[Math.floor(at / 8) * 16 + k]! * weight[k * 8 + (at % 8)]!;
      return Math.tanh(sum);
    });
    // Sums of 16 fp32 products in another order.
    expect(y!.data as Float32Array).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
    await session.release();
  });

  test.each([
    ["fewer elements than its sizes require", new Tensor("float32", new Float32Array(47), [3, 16])],
    ["elements of another type", new Tensor("float32", new Int32Array(48), [3, 16])],
  ])("refuses a tensor of %s", async (_, x) => {
    const session = await findSynchronousBinding()!(projection, options);
    expect(() => session.run({ x }, { y: null })).toThrow(/not enough space|type/i);
    await session.release();
  });

  test("throws the errors with which the public API rejects, and stays usable", async () => {
    const session = await findSynchronousBinding()!(projection, options);
    const wrong = { x: new Tensor("float32", new Float32Array(6), [2, 3]) };
    expect(() => session.run(wrong, { y: null })).toThrow(/x|dimension/i);
    expect((await session.run(feeds, { y: null })).y!.dims).toEqual([3, 8]);
    await session.release();
  });
});
