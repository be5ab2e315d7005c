import { buildGraph, openCheckpoint } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { afterAll, describe, expect, it } from "vitest";
import {
  modelTolerance,
  readGolden,
  zooDirectory,
  zooEncoders,
} from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { evenShare } from "../support/even-share.js";
import { memoized } from "../support/memoized.js";

const layers = 2;

/** A table of distances that is nearly as large as the word embeddings, so that it is also worth sharding. */
const shardsDistances: ReadonlySet<string> = new Set(["deberta"]);

describe.each(zooEncoders())("%s, split by its dataflow", (name) => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
  const { inputIds, output, logits: golden, vocabulary } = readGolden(name);
  const reader = new ShardReader();
  const policyFor = memoized((ranks: number) => planGraph(graph, { ranks }));
  afterAll(() => reader[Symbol.dispose]());

  it.each([2, 3, 4])("computes transformers' logits on %i ranks", async (ranks) => {
    const programs = buildPrograms(graph, policyFor(ranks));
    const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
    const { [output]: logits } = await group.run("forward", {
      input_ids: int64(inputIds),
      attention_mask: int64(inputIds.map((row) => row.map(() => 1))),
    });
    await group.close();
    expect(logits!.dims).toEqual([2, 12, vocabulary]);
    expect(logits!.data as Float32Array).toBeAllclose(golden, modelTolerance(golden));
  });

  it.each([2, 4])("keeps on each of %i ranks little more than its share of every matrix", (ranks) => {
    const policy = policyFor(ranks);
    expect(Math.max(...policy.bytesPerRank)).toBeLessThanOrEqual(1.1 * evenShare(policy, betweenNorms));
  });

  it("reduces once for each table, and twice for each layer", () => {
    const tables = shardsDistances.has(name) ? 2 : 1;
    expect(policyFor(2).collectives).toHaveLength(tables + layers * 2);
  });
});

/**
 * Matrices between two norms, or between embeddings and the residual stream: both their inputs and their outputs are
 * needed whole, so every rank has them.
 */
const betweenNorms =
  /((predictions(\.transform)?|lm_head|head)\.dense|vocab_transform|embedding(s_project|_hidden_mapping_in))\.weight$/;

function int64(rows: readonly (readonly number[])[]): EmulatedTensor {
  const data = BigInt64Array.from(rows.flat(), BigInt);
  return { type: "int64", dims: [rows.length, rows[0]!.length], data };
}
