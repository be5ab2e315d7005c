import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { buildPrograms, type PartitionPolicy, planGraph, policyFromJSON } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import type { EmulatedTensor } from "../support/emulation/emulated-tensor.js";
import { select } from "../support/random-graph.js";
import { waves } from "../support/waves.js";

const [batch, sequence, width, heads, lanes] = [2, 3, 12, 4, 6];

/**
 * One operator between a projection to heads and the graph's output. The tests check which factors of the projection
 * may be sharded, and that every such choice computes what one rank does.
 */
interface Case {
  readonly operator: string;
  readonly says: string;
  /** @param x float32 `[batch, heads, sequence, lanes]` */
  readonly apply: (g: GraphBuilder, x: Value) => Value;
  /** Sizes of the factors that may be sharded. */
  readonly shards: readonly number[];
}

const int = (value: number) => ({ kind: "int", value }) as const;

const cases: readonly Case[] = [
  {
    operator: "Dropout",
    says: "is the identity, even with training mode on",
    apply: (g, x) => g.node("Dropout", [x, g.numbers([0.5]), yes(g)]),
    shards: [heads, lanes],
  },
  {
    operator: "Tile",
    says: "repeats an axis and keeps its factor",
    apply: (g, x) => g.node("Tile", [x, g.integers([1, 2, 1, 1])]),
    shards: [heads, lanes],
  },
  {
    operator: "Trilu",
    says: "keeps the last two axes whole",
    apply: (g, x) => g.node("Trilu", [x]),
    shards: [heads],
  },
  {
    operator: "Pad",
    says: "keeps padded axes whole",
    apply: (g, x) => g.node("Pad", [x, g.integers([0, 0, 0, 1, 0, 0, 0, 0])]),
    shards: [heads],
  },
  {
    operator: "GatherElements",
    says: "keeps the axis it gathers along whole, and is sharded like its indices on others",
    apply: (g, x) => g.node("GatherElements", [x, placesAlong(g, x)], { attributes: { axis: int(3) } }),
    shards: [heads],
  },
  {
    operator: "GatherND",
    says: "slices from the first axis a range that is known when planning",
    apply: (g, x) => g.node("GatherND", [g.transpose(x, [1, 0, 2, 3]), column(g, [1, 2, 3])]),
    // Of the heads, the one before the run and the three in it.
    shards: [heads - 1, lanes],
  },
  {
    operator: "GatherND",
    says: "keeps an axis whole if its indices are not a contiguous range",
    apply: (g, x) => g.node("GatherND", [g.transpose(x, [1, 0, 2, 3]), column(g, [3, 1])]),
    shards: [lanes],
  },
  {
    operator: "ScatterElements",
    says: "keeps the axis it writes along whole",
    apply: (g, x) =>
      g.node("ScatterElements", [x, placesAlong(g, x), g.abs(x)], { attributes: { axis: int(3) } }),
    shards: [heads],
  },
  {
    operator: "ScatterND",
    says: "keeps the axes it writes to whole",
    apply: (g, x) => {
      const byHead = g.transpose(x, [1, 0, 2, 3]);
      const updates = g.abs(g.slice(byHead, g.integers([0]), g.integers([2]), 0));
      return g.node("ScatterND", [byHead, column(g, [3, 1]), updates]);
    },
    shards: [lanes],
  },
  {
    operator: "OneHot",
    says: "adds an unsharded axis",
    apply: (g, x) => {
      const places = g.cast(g.abs(x), "int64");
      return g.node("OneHot", [places, g.integer(3), g.numbers([0, 1], [2])]);
    },
    shards: [heads, lanes],
  },
  {
    operator: "ArgMax",
    says: "keeps the axis it compares along whole",
    apply: (g, x) => g.cast(g.node("ArgMax", [x], { attributes: { axis: int(3) } }), "float32"),
    shards: [heads],
  },
  {
    operator: "TopK",
    says: "keeps the axis it compares along whole",
    apply: (g, x) => g.nodes("TopK", [x, g.integers([2])], 2)[0]!,
    shards: [heads],
  },
  {
    operator: "EyeLike",
    says: "depends on no element",
    apply: (g, x) => {
      const first = g.gather(g.gather(x, g.integer(0), 0), g.integer(0), 0);
      return g.add(x, g.node("EyeLike", [first]));
    },
    // Ones and zeros depend on the position, so the lanes that they are added to stay whole.
    shards: [heads - 1],
  },
];

describe.each(cases)("$operator", ({ says, apply, shards }) => {
  const graph = graphOf(apply);
  const whole = planGraph(graph, { ranks: 1 });

  it(says, async () => {
    expect(whole.factors.map(({ units }) => units).sort()).toEqual([...shards].sort());
    const expected = await outputOf(graph, whole);
    for (const { id } of whole.factors) {
      const { data, dims } = await outputOf(graph, shardingOnly(graph, whole, id));
      expect(dims).toEqual(expected.dims);
      // Every element is one product of the same twelve pairs, whichever rank computes it.
      expect(data as Float32Array).toBeAllclose(expected.data as Float32Array, { rtol: 0, atol: 1e-6 });
    }
  });
});

function graphOf(apply: Case["apply"]): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const up = g.weight("up", { type: "float32", dims: [width, heads * lanes], source: { kind: "absent" } });
  const split = g.reshape(g.matmul(x, up), [0, 0, heads, lanes]);
  const y = apply(g, g.transpose(split, [0, 2, 1, 3]));
  g.output("y", y, "float32", []);
  return g.build();
}

/** A policy for two ranks in which one factor is sharded. */
function shardingOnly(graph: Graph, policy: PartitionPolicy, chosen: number): PartitionPolicy {
  const factors = policy.factors.map((factor) => ({ ...factor, sharded: factor.id === chosen }));
  return policyFromJSON(graph, { ...policy.toJSON(), ranks: 2, factors }, { ranks: 2 });
}

async function outputOf(graph: Graph, policy: PartitionPolicy): Promise<EmulatedTensor> {
  const group = await EmulatedGroup.open(buildPrograms(graph, policy), ({ weight, selection }) =>
    select(waves(width * heads * lanes), weight.dims, selection),
  );
  try {
    const x = {
      type: "float32",
      dims: [batch, sequence, width],
      data: waves(batch * sequence * width),
    } as const;
    return (await group.run("forward", { x })).y!;
  } finally {
    await group.close();
  }
}

function yes(g: GraphBuilder): Value {
  return g.constant({ type: "bool", dims: [], data: Uint8Array.of(1) });
}

/** int64 `[values.length, 1]`. */
function column(g: GraphBuilder, values: readonly number[]): Value {
  const data = BigInt64Array.from(values, BigInt);
  return g.constant({ type: "int64", dims: [values.length, 1], data });
}

/** Indices in the shape of `x`, all of them 0 or 1. */
function placesAlong(g: GraphBuilder, x: Value): Value {
  return g.cast(g.greater(x, g.numbers([0])), "int64");
}
