import { GraphBuilder, type Value } from "@ringrank/model";
import {
  buildPrograms,
  type Interpretable,
  type InterpretedOperator,
  planGraph,
  type Segment,
} from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { openPublicSession } from "../sessions/public-session.js";
import { integers } from "../tensors/element-types.js";
import type { Table } from "../tensors/table.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { Interpreter } from "./interpreter.js";
import { mostComputed, mostCopied } from "./operators.js";

type Type = "float32" | "int64" | "bool";
type Work = (g: GraphBuilder, inputs: Record<"past" | "ids" | "chosen" | "rows", Value>) => Value;

const lowest = -3.4028234663852886e38;

/** As in architectures and exports. */
const exact: [string, Type, Work][] = [
  ["a choice of rows", "float32", (g, { rows, chosen }) => g.gather(g.reshape(rows, [-1, 6]), chosen, 0)],
  [
    "a choice of parts, counted from the end",
    "float32",
    (g, { rows, chosen }) =>
      g.gather(g.reshape(rows, [0, 0, -1, 2]), neg(g, g.cast(g.greater(chosen, g.integer(1)), "int64")), 0),
  ],
  [
    "which past and new rows a query sees",
    "float32",
    (g, { past, ids }) => {
      const keys = g.unsqueeze(g.concat([past, ids], 1), [1, -2]);
      const queries = g.unsqueeze(ids, [1, 3]);
      const seen = g.and(g.greaterOrEqual(keys, g.integer(0)), g.lessOrEqual(keys, queries));
      const near = g.less(g.sub(queries, keys), g.integer(5));
      return g.where(g.and(seen, near), g.numbers([0]), g.numbers([lowest]));
    },
  ],
  [
    "a bias by distance, for each head",
    "float32",
    (g, { past, ids }) => {
      const distance = g.cast(g.sub(g.unsqueeze(past, [1]), g.unsqueeze(ids, [2])), "float32");
      return g.mul(g.unsqueeze(distance, [1]), g.numbers([0.5, 0.25, 1 / 3], [1, 3, 1, 1]));
    },
  ],
  [
    "comparisons",
    "bool",
    (g, { ids, chosen }) => {
      const later = g.not(g.greater(g.unsqueeze(chosen, [1, 2]), ids));
      return g.node("Or", [g.equal(ids, g.integer(3)), later]);
    },
  ],
  ["sizes", "int64", (g, { rows }) => g.concat([g.shape(rows, 1, 3), g.integers([7])], 0)],
  ["sizes from the end", "int64", (g, { rows }) => g.shape(rows, -2, 9)],
  ["an Expand", "int64", (g, { ids, rows }) => g.expand(g.unsqueeze(ids, [2]), g.shape(rows, 0, 3))],
  [
    "casts",
    "float32",
    (g, { rows, ids }) => {
      const whole = g.cast(g.cast(g.mul(rows, g.numbers([10])), "int64"), "float32");
      const isThere = g.cast(g.cast(g.cast(ids, "bool"), "float32"), "float32");
      return g.add(whole, g.unsqueeze(isThere, [2]));
    },
  ],
  ["a Concat", "float32", (g, { rows }) => g.concat([rows, neg(g, rows)], -1)],
];

it.each(exact)("computes %s with the bits of ONNX Runtime", async (_, type, work) => {
  const segment = segmentOf(type, work);
  for (const given of [inputs(1, 1, 9), inputs(2, 3, 4), inputs(1, 2, 0)]) {
    const made = interpreterOf(segment)(given);
    expect(made).toEqual(await byRuntime(segment, given));
  }
});

it.each([
  ["cos", (g, { ids }) => g.cos(angles(g, ids))],
  ["sin", (g, { ids }) => g.sin(angles(g, ids))],
  ["logarithm", (g, { ids }) => g.log(g.add(g.cast(ids, "float32"), g.numbers([1])))],
] satisfies [string, Work][])(
  "computes the %s of positions within a few units in the last place",
  async (_, work) => {
    const segment = segmentOf("float32", work);
    const given = inputs(2, 3, 4);
    const [made, expected] = [interpreterOf(segment)(given)!, await byRuntime(segment, given)];
    expect(made.dims).toEqual(expected.dims);
    expect(made.data as Float32Array).toBeAllclose(expected.data as Float32Array, { rtol: 1e-6, atol: 2e-7 });
  },
);

it("keeps the sign of a chosen zero of either operand, unlike ONNX Runtime's Where for the first", () => {
  const segment = segmentOf("float32", (g, { ids }) => {
    const isOne = g.equal(ids, g.integer(1));
    return g.where(isOne, neg(g, g.cast(g.sub(ids, g.integer(1)), "float32")), g.numbers([-0]));
  });
  const made = interpreterOf(segment)(of({ ids: [[1, 5]] }))!;
  expect([...(made.data as Float32Array)]).toEqual([-0, -0]);
});

describe("the result in the table", () => {
  const work: Work = (g, { rows, chosen }) => g.gather(g.reshape(rows, [-1, 6]), chosen, 0);

  it("is right for other sizes, and again for the previous ones", async () => {
    const segment = segmentOf("float32", work);
    const run = interpreterOf(segment);
    for (const [batch, sequence] of [
      [1, 1],
      [1, 3],
      [1, 1],
      [2, 1],
    ] as const) {
      const given = inputs(batch, sequence, 4);
      expect(run(given)).toEqual(await byRuntime(segment, given));
    }
  });

  it("is right if only the choice of a constant's rows changes", async () => {
    const segment = segmentOf("float32", (g, { chosen }) =>
      g.gather(g.numbers([1, 2, 3, 4, 5, 6], [3, 2]), chosen, 0),
    );
    const run = interpreterOf(segment);
    for (const indices of [
      [0, 1, 2],
      [2, 2, 0],
    ]) {
      const given = { ...inputs(1, 2, 4), chosen: tensor("int64", integers("int64", indices), [3]) };
      expect(run(given)).toEqual(await byRuntime(segment, given));
    }
  });

  it("is a new tensor in each run, since others cache by its identity", () => {
    const run = interpreterOf(segmentOf("float32", work));
    const first = run(inputs(1, 2, 4));
    expect(run(inputs(1, 2, 4, 100))).not.toBe(first);
  });

  it("is not changed by later runs if it is an output of the entry", () => {
    const run = interpreterOf(segmentOf("float32", work), true);
    const first = run(inputs(1, 2, 4))!;
    const before = (first.data as Float32Array).slice();
    run(inputs(1, 2, 4, 100));
    expect(first.data).toEqual(before);
  });

  it.each<[string, Type, Work]>([
    ["is only a reshaped input", "float32", (g, { rows }) => g.reshape(rows, [-1])],
    ["only depends on sizes", "float32", (g, { rows }) => g.cast(g.shape(rows, 0, 3), "float32")],
    ["is integers", "int64", (g, { ids }) => neg(g, ids)],
  ])("may be written to if it %s", (_, type, work) => {
    const run = interpreterOf(segmentOf(type, work));
    const given = inputs(1, 2, 4);
    const first = run(given)!;
    const before = structuredClone(first.data);
    (first.data as Float32Array).fill(first.data.at(-1) as never);
    expect(run(given)!.data).toEqual(before);
  });
});

describe("leaves to a session", () => {
  it.each<[string, Type, Work, Record<string, Tensor>]>([
    [
      "a row beyond the end",
      "float32",
      (g, { rows, chosen }) => g.gather(g.reshape(rows, [-1, 6]), g.mul(chosen, g.integer(100)), 0),
      inputs(2, 3, 4),
    ],
    [
      "a row before the first",
      "float32",
      (g, { rows, chosen }) => g.gather(g.reshape(rows, [-1, 6]), g.sub(chosen, g.integer(100)), 0),
      inputs(2, 3, 4),
    ],
    [
      "an integer that is not an exact number",
      "int64",
      (g, { ids }) => g.add(ids, ids),
      of({ ids: [[2 ** 53]] }),
    ],
    [
      "such an integer that is only passed on",
      "int64",
      (g, { ids }) => g.unsqueeze(ids, [0]),
      of({ ids: [[2 ** 53]] }),
    ],
    [
      "such a negative integer",
      "int64",
      (g, { ids }) => g.unsqueeze(ids, [0]),
      { ...inputs(1, 1, 4), ids: tensor("int64", BigInt64Array.of(-(2n ** 53n) - 1n), [1, 1]) },
    ],
    ["an integer that becomes too large", "int64", (g, { ids }) => g.mul(ids, ids), of({ ids: [[2 ** 30]] })],
    [
      "much work",
      "int64",
      (g, { past }) => neg(g, past),
      of({ past: [new Array(mostComputed + 1).fill(1)] }),
    ],
    [
      "a large copy",
      "int64",
      (g, { past, ids }) => g.concat([past, ids], 1),
      of({ past: [new Array(mostCopied).fill(1)], ids: [[1]] }),
    ],
    [
      "a large choice",
      "float32",
      (g, { rows, chosen }) => g.gather(g.reshape(rows, [-1, 6]), chosen, 0),
      of({ chosen: new Array(Math.ceil((mostCopied + 1) / 6)).fill(0) }),
    ],
  ])("%s", (_, type, work, given) => {
    expect(interpreterOf(segmentOf(type, work))(given)).toBeUndefined();
  });
});

describe("leaves to a session, which reports the error, what planning would have refused:", () => {
  const floats = (...dims: number[]) =>
    tensor("float32", new Float32Array(dims.reduce((count, size) => count * size, 1)), dims);
  const sizedBySecond = (operator: InterpretedOperator) => ({ operator, operands: [0, 2] });
  const whole = (...elements: number[]) => ({ type: "int64", dims: [elements.length], elements }) as const;

  it.each<[string, Omit<Interpretable, "outputs">, Table]>([
    [
      "sizes that do not broadcast",
      { constants: [], instructions: [{ operator: "Add", operands: [0, 1] }] },
      [floats(2), floats(3)],
    ],
    [
      "parts that differ along another axis",
      { constants: [], instructions: [{ operator: "Concat", axis: 0, operands: [0, 1] }] },
      [floats(1, 2), floats(1, 3)],
    ],
    [
      "a part with fewer axes",
      { constants: [], instructions: [{ operator: "Concat", axis: 1, operands: [0, 1] }] },
      [floats(1, 2), floats(2)],
    ],
    [
      "a shape with too many elements",
      { constants: [whole(4)], instructions: [{ operator: "Reshape", operands: [0, 1] }] },
      [floats(3)],
    ],
    [
      "a row beyond the end of a constant",
      { constants: [whole(7, 8), whole(2)], instructions: [{ operator: "Gather", operands: [0, 1] }] },
      [],
    ],
    [
      "an Expand to sizes that depend on elements",
      { constants: [], instructions: [{ operator: "Neg", operands: [1] }, sizedBySecond("Expand")] },
      [floats(1), tensor("int64", BigInt64Array.of(-3n), [1])],
    ],
    [
      "a Reshape to sizes that depend on elements",
      { constants: [], instructions: [{ operator: "Neg", operands: [1] }, sizedBySecond("Reshape")] },
      [floats(4), tensor("int64", BigInt64Array.of(-2n, -2n), [2])],
    ],
    [
      "axes that depend on elements",
      { constants: [], instructions: [{ operator: "Neg", operands: [1] }, sizedBySecond("Unsqueeze")] },
      [floats(4), tensor("int64", BigInt64Array.of(-1n), [1])],
    ],
    [
      "a value that no step has computed",
      { constants: [], instructions: [{ operator: "Neg", operands: [0] }] },
      [undefined],
    ],
  ])("%s", (_, plan, values) => {
    const last = values.length + plan.constants.length + plan.instructions.length - 1;
    const inputs = [...values.keys()];
    const outputs = [{ index: last, isReturned: false }];
    const interpreter = new Interpreter({ ...plan, outputs: [last] }, inputs, outputs, noWeights);
    expect(interpreter.run([...values])).toBe(false);
  });
});

it("leaves the work to a session if a value that an earlier run had is missing", () => {
  const plan: Interpretable = {
    constants: [],
    instructions: [{ operator: "Neg", operands: [0] }],
    outputs: [1],
  };
  const interpreter = new Interpreter(plan, [0], [{ index: 1, isReturned: false }], noWeights);
  expect(interpreter.run([tensor("float32", Float32Array.of(3), [1])])).toBe(true);
  expect(interpreter.run([undefined])).toBe(false);
});

it("gives no two outputs the same memory, since each may be written to", () => {
  const plan: Interpretable = {
    constants: [{ type: "int64", dims: [2], elements: [2, 1] }],
    instructions: [
      { operator: "Neg", operands: [0] },
      { operator: "Reshape", operands: [2, 1] },
    ],
    outputs: [2, 3],
  };
  const table: Table = [tensor("float32", Float32Array.of(3, 4), [2])];
  const outputs = [1, 2].map((index) => ({ index, isReturned: false }));
  expect(new Interpreter(plan, [0], outputs, noWeights).run(table)).toBe(true);
  (table[1]!.data as Float32Array).fill(0);
  expect([table[2]!.dims, [...table[2]!.data]]).toEqual([
    [2, 1],
    [-3, -4],
  ]);
});

it("adds a scalar like any other value", () => {
  const plan: Interpretable = {
    constants: [{ type: "float32", dims: [], elements: [2] }],
    instructions: [{ operator: "Add", operands: [0, 1] }],
    outputs: [2],
  };
  const table: Table = [tensor("float32", Float32Array.of(3), [])];
  expect(new Interpreter(plan, [0], [{ index: 1, isReturned: false }], noWeights).run(table)).toBe(true);
  expect([table[1]!.dims, [...table[1]!.data]]).toEqual([[], [5]]);
});

const neg = (g: GraphBuilder, x: Value): Value => g.node("Neg", [x]);

function angles(g: GraphBuilder, ids: Value): Value {
  return g.mul(g.cast(g.unsqueeze(ids, [2]), "float32"), g.numbers([1, 0.1, 0.01], [3]));
}

/**
 * Positions of the past, and ids like the positions after them. All rows of `batch · sequence` are chosen, one of them
 * twice.
 */
function inputs(batch: number, sequence: number, past: number, scale = 1): Record<string, Tensor> {
  const count = batch * sequence;
  const range = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => from + i);
  return {
    past: tensor("int64", integers("int64", range(batch * past, -1)), [batch, past]),
    ids: tensor("int64", integers("int64", range(count, past)), [batch, sequence]),
    chosen: tensor("int64", integers("int64", [...range(count), 0]), [count + 1]),
    rows: tensor(
      "float32",
      Float32Array.from(range(6 * count), (i) => scale * Math.sin(i)),
      [batch, sequence, 6],
    ),
  };
}

/** Nested lists as inputs, together with the usual ones. */
function of(lists: Record<string, unknown[]>): Record<string, Tensor> {
  const made = Object.entries(lists).map(([name, list]) => {
    const dims: number[] = [];
    for (let part: unknown = list; Array.isArray(part); part = part[0]) dims.push(part.length);
    const flat = list.flat(Number.POSITIVE_INFINITY) as number[];
    const type = name === "rows" ? "float32" : "int64";
    return [name, tensor(type, integers(type, flat), dims)];
  });
  return { ...inputs(1, 1, 4), ...Object.fromEntries(made) };
}

/** A segment, and the names of its inputs in the only step that runs it. */
interface Alone {
  readonly segment: Segment;
  readonly names: readonly string[];
}

/** The segment of a graph with only this work. */
function segmentOf(type: Type, work: Work): Alone {
  const g = new GraphBuilder();
  const given = {
    past: g.input("past", "int64", ["batch", "past"]),
    ids: g.input("ids", "int64", ["batch", "sequence"]),
    chosen: g.input("chosen", "int64", ["chosen"]),
    rows: g.input("rows", "float32", ["batch", "sequence", 6]),
  };
  g.output("made", work(g, given), type, []);
  const graph = g.build();
  const [program] = buildPrograms(graph, planGraph(graph, { ranks: 1 }));
  const [step] = program!.entries.forward!.steps;
  if (step?.kind !== "run" || step.values === undefined)
    throw new Error("expected a segment without weights");
  return { segment: program!.segments[step.segment]!, names: step.values.inputs };
}

const noWeights = () => expect.fail("no weight is looked up");

/** Undefined if it is left to a session. */
function interpreterOf({ segment, names }: Alone, isReturned = false) {
  const indices = names.map((_, at) => at);
  const outputs = [{ index: names.length, isReturned }];
  const interpreter = new Interpreter(segment.interpretable!, indices, outputs, noWeights);
  return (given: Record<string, Tensor>): Tensor | undefined => {
    const table = [...names.map((name) => given[name]), undefined];
    expect(interpreter.run(table)).toBe(table.at(-1) !== undefined);
    return table.at(-1);
  };
}

async function byRuntime({ segment, names }: Alone, given: Record<string, Tensor>): Promise<Tensor> {
  const session = await openPublicSession(segment.onnx, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(segment.inputs.map((name, at) => [name, given[names[at]!]!]));
  const [output] = segment.outputs;
  const { type, data, dims } = (await session.run(feeds, { [output!]: null }))[output!]!;
  return tensor(type as Type, data as Float32Array, dims);
}
