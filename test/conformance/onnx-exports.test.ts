import { openOnnx } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, type PartitionPolicy, planGraph } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelTolerance } from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { memoized } from "../support/memoized.js";
import {
  type OnnxExport,
  onnxExports,
  otherInputs,
  readReference,
  referenceInputs,
} from "../support/onnx-exports.js";
import { perfectSplit } from "../support/perfect-split.js";
import { emulatedRankCounts } from "../support/rank-counts.js";
import { recordSplit, relativeError } from "../support/results.js";

/**
 * Every export of the fixtures, with all ranks on one thread, compared with one session on the same file and with
 * transformers.
 */
describe.each(onnxExports())("$name", (exported) => {
  const graph = openOnnx(exported.path);
  const reference = readReference(exported);
  // Two batch sizes and lengths other than the reference's [2, 12].
  const others = [otherInputs(graph, 1, 5), otherInputs(graph, 3, 19)];
  const reader = new ShardReader();
  const policyFor = memoized((ranks: number) => planGraph(graph, { ranks }));
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

  it.each(emulatedRankCounts(exported.name))(
    "computes the same logits on %i ranks, at any batch size and length",
    async (ranks) => {
      const policy = policyFor(ranks);
      const group = await EmulatedGroup.open(buildPrograms(graph, policy), (shard) => reader.read(shard));
      const logitsFor = async (inputs: Record<string, EmulatedTensor>): Promise<Float32Array> =>
        (await group.run("forward", inputs)).logits!.data as Float32Array;
      const errors: number[] = [];
      const compare = (actual: Float32Array, expected: Float32Array): void => {
        expect(actual).toBeAllclose(expected, modelTolerance(expected));
        errors.push(relativeError(actual, expected));
      };
      try {
        const golden = reference.get("logits")!.data as Float32Array;
        compare(await logitsFor(referenceInputs(graph, reference)), golden);
        for (const [index, inputs] of others.entries()) compare(await logitsFor(inputs), whole[index]!);
      } finally {
        await group.close();
      }
      recordSplit(exported.name, { policy }, Math.max(...errors), ofPerfect(policy, exported));
    },
  );

  it("has a rule for every operator", () => {
    expect(policyFor(2).unruled).toEqual([]);
  });

  it.each([2, 4])("shards on %i ranks nine tenths of the bytes that a split by names would", (ranks) => {
    expect(ofPerfect(policyFor(ranks), exported)).toBeGreaterThanOrEqual(0.9);
  });
});

/**
 * The bytes that sharding saves on the fullest rank, relative to what a split by names saves there; undefined for one
 * rank.
 */
function ofPerfect(
  { ranks, totalBytes, bytesPerRank }: PartitionPolicy,
  exported: OnnxExport,
): number | undefined {
  if (ranks === 1) return undefined;
  return (totalBytes - Math.max(...bytesPerRank)) / perfectSplit(exported, ranks);
}

function feeds(inputs: Readonly<Record<string, EmulatedTensor>>): Record<string, ort.Tensor> {
  const tensors = Object.entries(inputs).map(([name, { type, data, dims }]) => [
    name,
    new ort.Tensor(type, data as Float32Array, dims),
  ]);
  return Object.fromEntries(tensors) as Record<string, ort.Tensor>;
}
