import { type PartitionPolicy, planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { lower } from "../../packages/policy/src/lowering/lower.js";
import { evaluateShapes } from "../../packages/policy/src/shapes/index.js";
import {
  admissible,
  type GraphWithContents,
  inputsFor,
  runSplit,
  runWhole,
  shardingOnly,
  type Tensors,
  wholePlan,
} from "./split-and-whole.js";
import { TestGraph } from "./test-graph.js";

/**
 * An operator in a small graph. The tests check which factors of its parameters may be sharded, and that every such
 * choice computes the same result.
 */
export interface OperatorCase {
  readonly operator: string;
  readonly says: string;
  readonly build: (g: TestGraph) => void;
  /** Inputs for which {@link inputsFor} is unsuitable. */
  readonly inputs?: Tensors;
  /** The units of the factors that may be sharded. */
  readonly shards: readonly number[];
  /** The largest difference from the unsplit session. Default 1e-5: fp32 sums of numbers around 1 in another order. */
  readonly tolerance?: number;
}

/**
 * Compares every case in one session of ONNX Runtime with each of its factors sharded alone, and with the policy's
 * choice on 2 to 5 ranks.
 */
export function describeOperators(cases: readonly OperatorCase[]): void {
  describe.each(cases)("$operator", ({ says, build, inputs, shards, tolerance = 1e-5 }) => {
    it(says, async () => {
      const g = new TestGraph();
      build(g);
      const made: GraphWithContents = { graph: g.build(), contents: g.contents };
      const fed = { ...inputsFor(made.graph), ...inputs };
      const expected = await runWhole(made, fed);
      await expectShapes(made, fed);
      const whole = wholePlan(made.graph);
      expect(whole.factors.map(({ units }) => units).sort(ascending)).toEqual([...shards].sort(ascending));
      expectSame(await runSplit(made, whole, fed), expected, tolerance);
      for (const policy of policies(made, whole))
        expectSame(await runSplit(made, policy, fed), expected, tolerance);
    });
  });
}

/** Checks that every value has the type and sizes of the shape formulas; values that are fused away have none. */
async function expectShapes({ graph, contents }: GraphWithContents, fed: Tensors): Promise<void> {
  const bindings = Object.fromEntries(
    graph.inputs.flatMap(({ name, dims }) =>
      dims.flatMap((dim, axis) => (typeof dim === "string" ? [[dim, fed[name]!.dims[axis]!]] : [])),
    ),
  );
  const shapes = evaluateShapes(lower(graph), bindings);
  const made = graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => shapes.has(name)));
  const outputs = made.map((name) => {
    const { type, dims } = shapes.get(name)!;
    return { name, type, dims: dims.map((_, axis) => `${name}·${axis}`) };
  });
  for (const [name, { type, dims }] of Object.entries(
    await runWhole({ graph: { ...graph, outputs }, contents }, fed),
  ))
    expect({ name, type, dims }).toEqual({
      name,
      type: shapes.get(name)!.type,
      dims: shapes.get(name)!.dims,
    });
}

function* policies({ graph }: GraphWithContents, whole: PartitionPolicy): Generator<PartitionPolicy> {
  for (const { id } of whole.factors) {
    for (const ranks of [2, 3]) {
      const policy = admissible(() => shardingOnly(graph, id, ranks), "RR_POLICY");
      if (policy !== undefined) yield policy;
    }
  }
  for (const ranks of [2, 3, 4, 5]) {
    const policy = admissible(() => planGraph(graph, { ranks }), "RR_NOTHING_SHARDED");
    if (policy !== undefined) yield policy;
  }
}

function expectSame(actual: Tensors, expected: Tensors, tolerance: number): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { dims, data }] of Object.entries(expected)) {
    expect(actual[name]!.dims).toEqual(dims);
    const numbers = (values: typeof data): number[] =>
      Array.from(values as ArrayLike<number | bigint>, Number);
    expect(numbers(actual[name]!.data)).toBeAllclose(numbers(data), { rtol: 0, atol: tolerance });
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
