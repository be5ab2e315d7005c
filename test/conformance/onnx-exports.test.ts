import { openOnnx } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup, type EmulatedTensor } from "../support/emulate.js";
import {
  everyExport,
  onnxExports,
  otherInputs,
  readReference,
  referenceInputs,
} from "../support/onnx-exports.js";
import { perfectSplit } from "../support/perfect-split.js";

/** Every export of the fixtures, all ranks on one thread, against one session on the same file and transformers. */
describe.each(onnxExports())("$name", (exported) => {
  const graph = openOnnx(exported.path);
  const reference = readReference(exported);
  // Two other batches and lengths than the reference's [2, 12].
  const others = [otherInputs(graph, 1, 5), otherInputs(graph, 3, 19)];
  const reader = new ShardReader();
  let whole: Float32Array[];

  beforeAll(async () => {
    const session = await ort.InferenceSession.create(exported.path, {
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    whole = [];
    for (const inputs of others) whole.push((await session.run(feeds(inputs))).logits!.data as Float32Array);
    await session.release();
  });
  afterAll(() => reader[Symbol.dispose]());

  it.each([1, 2, 3, 4])("gives the same logits on %i ranks, at any batch and length", async (ranks) => {
    const programs = buildPrograms(graph, planGraph(graph, { ranks }));
    const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
    const logitsFor = async (inputs: Record<string, EmulatedTensor>): Promise<Float32Array> =>
      (await group.run("forward", inputs)).logits!.data as Float32Array;
    try {
      const expected = reference.get("logits")!.data as Float32Array;
      expectSame(await logitsFor(referenceInputs(graph, reference)), expected);
      for (const [index, inputs] of others.entries()) expectSame(await logitsFor(inputs), whole[index]!);
    } finally {
      await group.close();
    }
  });

  it("has no operator without a rule", () => {
    expect(planGraph(graph, { ranks: 2 }).unruled).toEqual([]);
  });

  it.each([2, 4])("shards on %i ranks nine tenths of what a split by names would", (ranks) => {
    const { totalBytes, bytesPerRank } = planGraph(graph, { ranks });
    const saved = totalBytes - Math.max(...bytesPerRank);
    expect(saved).toBeGreaterThanOrEqual(0.9 * perfectSplit(exported.reference, ranks));
  });
});

/** Files of one model by different exporters. */
const pairs = everyExport().flatMap((first, index, all) => {
  const second = all[index + 1];
  return second?.reference === first.reference ? [{ first, second }] : [];
});

describe.each(pairs)("$first.name and $second.name", ({ first, second }) => {
  it("are decided alike, whatever holds an eleventh of the weights", () => {
    const [one, other] = [first, second].map(({ path }) => {
      const { factors, totalBytes } = planGraph(openOnnx(path), { ranks: 2 });
      return factors
        .filter(({ sharded, bytes }) => sharded && bytes > totalBytes / 11)
        .map(({ label, units, perRank }) => `${units} ${label}: ${perRank.join("+")}`);
    });
    expect(new Set(one)).toEqual(new Set(other));
  });
});

function expectSame(actual: Float32Array, expected: Float32Array): void {
  // The project's bound on every model: fp32 sums taken in another order differ by some 1e-6 of a deviation.
  expect(actual).toBeAllclose(expected, { rtol: 0, atol: 1e-4 * standardDeviation(expected) });
}

function feeds(inputs: Readonly<Record<string, EmulatedTensor>>): Record<string, ort.Tensor> {
  const tensors = Object.entries(inputs).map(([name, { type, data, dims }]) => [
    name,
    new ort.Tensor(type, data as Float32Array, dims),
  ]);
  return Object.fromEntries(tensors) as Record<string, ort.Tensor>;
}
