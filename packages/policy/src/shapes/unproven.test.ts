import type { Attribute, GraphNode } from "@ringrank/model";
import { expect, test } from "vitest";
import { evaluatePair } from "./pair.js";
import { isStatic } from "./size-pair.js";
import { graphOf, node } from "./testing/graph-of.js";
import { int64, known } from "./testing/operator-case.js";

/** About `x [rows, 64]`, whose rows are 7 and 11 during planning. */
interface Case {
  readonly says: string;
  /** The last node computes `y`. `rows`, int64 `[1]`, is the number of rows. */
  readonly nodes: readonly GraphNode[];
  /** Whether the first element of `y`, or else its first size, is the same in every call. */
  readonly isStatic: boolean;
}

const half = [
  node("Add", ["rows", "one"], ["more"]),
  node("Div", ["more", "two"], ["half"]),
  node("Mul", ["half", "two"], ["even"]),
];

const cases: readonly Case[] = [
  {
    says: "a number minus itself",
    nodes: [node("Add", ["rows", "one"], ["more"]), node("Sub", ["more", "rows"], ["y"])],
    isStatic: true,
  },
  {
    says: "a product divided by one of its factors",
    nodes: [
      node("Mul", ["rows", "two"], ["twice"]),
      node("Div", ["twice", "two"], ["once"]),
      node("Sub", ["once", "rows"], ["y"]),
    ],
    isStatic: true,
  },
  { says: "the smaller of a number and 2", nodes: [node("Min", ["rows", "two"], ["y"])], isStatic: false },
  {
    says: "whether there are more than 2",
    nodes: [node("Greater", ["rows", "two"], ["y"])],
    isStatic: false,
  },
  {
    says: "whether there are more than −1",
    nodes: [node("Neg", ["one"], ["less"]), node("Greater", ["rows", "less"], ["y"])],
    isStatic: true,
  },
  {
    says: "the rounding error of half an odd number",
    nodes: [...half, node("Sub", ["even", "rows"], ["y"])],
    isStatic: false,
  },
  {
    says: "the rounding error of half the number of rows",
    nodes: [
      node("Slice", ["x", "zero", "max", "zero", "two"], ["other"]),
      node("Shape", ["other"], ["size"], { end: 1 }),
      node("Mul", ["size", "two"], ["even"]),
      node("Sub", ["even", "rows"], ["y"]),
    ],
    isStatic: false,
  },
  { says: "the first row", nodes: [node("Slice", ["x", "zero", "one", "zero"], ["y"])], isStatic: true },
  { says: "the last row", nodes: [node("Slice", ["x", "last", "max", "zero"], ["y"])], isStatic: true },
  {
    says: "some elements of the last row",
    nodes: [node("Slice", ["x", "lastAndFirst", "maxAndTwo", "bothAxes"], ["y"])],
    isStatic: true,
  },
  { says: "the first 2 rows", nodes: [node("Slice", ["x", "zero", "two", "zero"], ["y"])], isStatic: false },
  {
    says: "every hundredth row",
    nodes: [node("Slice", ["x", "zero", "max", "zero", "hundred"], ["y"])],
    isStatic: false,
  },
  {
    says: "the last row, if it is one of the first hundred",
    nodes: [node("Slice", ["x", "last", "hundred", "zero"], ["y"])],
    isStatic: false,
  },
  {
    says: "the size of the first 2 rows",
    nodes: [
      node("Slice", ["x", "zero", "two", "zero"], ["some"]),
      node("Shape", ["some"], ["y"], { end: 1 }),
    ],
    isStatic: false,
  },
];

test.each(cases)("$says is the same in every call: $isStatic", ({ nodes, isStatic: expected }) => {
  const graph = graphOf({
    inputs: ["x float32[rows,64]"],
    constants: {
      ...{ zero: int64(0), one: int64(1), two: int64(2), hundred: int64(100), last: int64(-1) },
      max: known("int64", [1], [2 ** 31 - 1]),
      ...{ lastAndFirst: int64(-1, 0), maxAndTwo: int64(2 ** 31 - 1, 2), bothAxes: int64(-2, 1) },
    },
    nodes: [node("Shape", ["x"], ["rows"], { end: 1 }), ...nodes],
  });
  const { dims, contents } = evaluatePair(graph).values.get("y")!;
  expect(isStatic((contents ?? dims)[0]!)).toBe(expected);
});

test.each([
  ["the branch that is taken", 1, false],
  ["the other branch", 0, true],
])("an If is only as static as the branch taken: with a doubtful value in %s", (_, condition, expected) => {
  const branch = (...nodes: GraphNode[]): Attribute => ({
    kind: "graph",
    value: { ...graphOf({ nodes }), outputs: [{ name: "z" }] },
  });
  const graph = graphOf({
    inputs: ["x float32[rows,64]"],
    constants: { two: int64(2), condition: known("bool", [], [condition]) },
    nodes: [
      node("Shape", ["x"], ["rows"], { end: 1 }),
      node("If", ["condition"], ["y"], {
        then_branch: branch(node("Min", ["rows", "two"], ["z"])),
        else_branch: branch(node("Sub", ["rows", "rows"], ["z"])),
      }),
    ],
  });
  expect(isStatic(evaluatePair(graph, "taken").values.get("y")!.contents![0]!)).toBe(expected);
});

test("the result of an If is as static as its inputs if data decides on the branch", () => {
  const branch = (operator: string): Attribute => ({
    kind: "graph",
    value: { ...graphOf({ nodes: [node(operator, ["x"], ["z"])] }), outputs: [{ name: "z" }] },
  });
  const graph = graphOf({
    inputs: ["x float32[rows,64]", "condition bool[]"],
    nodes: [node("If", ["condition"], ["y"], { then_branch: branch("Relu"), else_branch: branch("Neg") })],
  });
  expect(evaluatePair(graph, "taken").values.get("y")!.dims.map(isStatic)).toEqual([false, true]);
});
