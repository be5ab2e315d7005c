import type { Value } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { expect, it } from "vitest";
import { inputsFor, runSplit, runWhole, shardingOnly } from "../support/split-and-whole.js";
import { microsoft, TestGraph } from "../support/test-graph.js";

const rows = 10;

const lookups: Record<string, (g: TestGraph, ids: Value) => Value> = {
  Gather: (g, ids) => g.gather(g.parameter([rows, 16]), ids, 0),
  GatherBlockQuantized: (g, ids) =>
    g.apply(
      `GatherBlockQuantized@${microsoft}`,
      [g.quantized("uint8", [rows, 16]), ids, g.scales([rows, 2], 0.02)],
      { block_size: 16, bits: 4, quantize_axis: 1 },
    ),
};

/** Looks up rows of a table that ranks share. */
function lookup(operator: string) {
  const g = new TestGraph();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  g.output("y", g.softmax(lookups[operator]!(g, ids)), "float32", []);
  const made = { graph: g.build(), contents: g.contents };
  const inputs = (id: number) => ({
    ids: { ...inputsFor(made.graph).ids!, data: BigInt64Array.of(0n, 3n, 9n, 4n, 5n, BigInt(id)) },
  });
  const byRows = planGraph(made.graph, { ranks: 1 }).factors.find(({ units }) => units === rows)!;
  return { made, inputs, split: (ranks: number) => shardingOnly(made.graph, byRows.id, ranks) };
}

it.each(Object.keys(lookups))(
  "an id past the end of a table that %s looks up is an error on ranks that share the table, as in one session",
  async (operator) => {
    const { made, inputs, split } = lookup(operator);
    await expect(runSplit(made, split(3), inputs(rows - 1))).resolves.toBeDefined();
    await expect(runSplit(made, split(3), inputs(rows))).rejects.toThrow("out of data bounds");
    await expect(runWhole(made, inputs(rows))).rejects.toThrow("out of data bounds");
  },
);
