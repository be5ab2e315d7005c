import type { Attribute, Graph, GraphNode } from "@ringrank/model";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { evaluateShapes } from "./evaluate.js";
import { graphOf, node } from "./testing/graph-of.js";
import { evaluateCase, int64, known } from "./testing/operator-case.js";

describe("a graph", () => {
  test("binds the symbolic dimensions of its inputs", () => {
    const graph = graphOf({ inputs: ["x float32[batch,3]"], nodes: [node("Relu", ["x"], ["y"])] });
    expect(evaluateShapes(graph, { batch: 5 }).get("y")?.dims).toEqual([5, 3]);
  });

  test("refuses a symbol without a size", () => {
    const graph = graphOf({ inputs: ["x float32[batch,3]"] });
    expect(expectCode("RR_GRAPH", () => evaluateShapes(graph, { sequence: 5 })).message).toContain("batch");
  });

  test("propagates a shape through arithmetic to a Reshape", () => {
    const graph = graphOf({
      inputs: ["x float32[batch,sequence,12]"],
      constants: { last: int64(-1), two: known("int64", [], [2]), axis: int64(0), head: int64(4) },
      nodes: [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "last"], ["width"]),
        node("Div", ["width", "head"], ["heads"]),
        node("Shape", ["x"], ["lead"], { end: 2 }),
        node("Concat", ["lead", "heads", "head"], ["target"], { axis: 0 }),
        node("Reshape", ["x", "target"], ["y"]),
      ],
    });
    expect(evaluateShapes(graph, { batch: 2, sequence: 7 }).get("y")?.dims).toEqual([2, 7, 3, 4]);
  });

  test("knows the shapes of weights in files, but not their contents", () => {
    const weight = { type: "int64", dims: [2], source: { kind: "absent" } } as const;
    const graph = { ...graphOf({ inputs: ["x float32[2,3]"] }), weights: new Map([["w", weight]]) };
    expect(evaluateShapes(graph, {}).get("w")).toMatchObject({ dims: [2] });
    const reshape = { ...graph, nodes: [node("Reshape", ["x", "w"], ["y"])] };
    expectCode("RR_GRAPH", () => evaluateShapes(reshape, {}));
  });

  test("does not propagate contents of more than 4096 elements", () => {
    expect(evaluateCase({ operator: "ConstantOfShape", inputs: [int64(64, 64)] }).contents).toHaveLength(
      4096,
    );
    expect(evaluateCase({ operator: "ConstantOfShape", inputs: [int64(64, 65)] }).contents).toBeUndefined();
  });
});

describe("If", () => {
  const branch = (operator: string, output: string): Attribute => ({
    kind: "graph",
    value: {
      ...graphOf({ nodes: [node(operator, ["x"], [output])] }),
      outputs: [{ name: output }],
    },
  });
  const withCondition = (
    thenOperator: string,
    constants: Parameters<typeof graphOf>[0]["constants"],
  ): Graph =>
    graphOf({
      inputs: ["x float32[1,3]", ...(constants ? [] : ["condition bool[]"])],
      ...(constants ? { constants } : {}),
      nodes: [
        node("If", ["condition"], ["y"], {
          then_branch: branch(thenOperator, "then"),
          else_branch: branch("Relu", "else"),
        }),
      ],
    });

  test("evaluates to the branch taken, and includes its inner values, if requested", () => {
    const graph = withCondition("Squeeze", { condition: known("bool", [], [1]) });
    const values = evaluateShapes(graph, {}, "taken");
    expect(values.get("y")?.dims).toEqual([3]);
    expect(values.has("then")).toBe(true);
    expect(values.has("else")).toBe(false);
  });

  test.each(["both", "taken"] as const)(
    "whose condition is data has the shape on which both branches agree: %s",
    (branches) => {
      const values = evaluateShapes(withCondition("Sigmoid", undefined), {}, branches);
      expect(values.get("y")?.dims).toEqual([1, 3]);
    },
  );

  test("whose condition is data is refused if the branches differ", () => {
    const error = expectCode("RR_GRAPH", () => evaluateShapes(withCondition("Squeeze", undefined), {}));
    expect(error.message).toContain("float32[3] and float32[1,3]");
  });
});

describe("an error", () => {
  test("names the node's index and operator, its input shapes, and what was expected", () => {
    const error = expectCode("RR_GRAPH", () =>
      evaluateCase({ operator: "MatMul", inputs: ["float32[2,3]", "float32[4,5]"] }),
    );
    expect(error.message).toBe(
      "node 0 (MatMul) with inputs float32[2,3], float32[4,5]: expected the contracted sizes to agree, not 3 and 4",
    );
  });

  test("says where to add a rule for an operator without one", () => {
    const error = expectCode("RR_GRAPH", () =>
      evaluateCase({ operator: "com.example::Frobnicate", inputs: [] }),
    );
    expect(error.message).toContain("no shape rule for com.example::Frobnicate");
    expect(error.message).toContain("shapes/operators");
  });

  test("is reported for an operator named like an inherited property of objects", () => {
    expectCode("RR_GRAPH", () => evaluateCase({ operator: "constructor", inputs: [] }));
  });

  test.each<[string, Parameters<typeof evaluateCase>[0]]>([
    ["a shape that depends on data", { operator: "Expand", inputs: ["float32[1]", "int64[1]"] }],
    ["sizes that do not broadcast", { operator: "Add", inputs: ["float32[2]", "float32[3]"] }],
    [
      "a Reshape to another number of elements",
      { operator: "Reshape", inputs: ["float32[6]", int64(4, -1)] },
    ],
    ["a Squeeze of a size other than 1", { operator: "Squeeze", inputs: ["float32[2,3]", int64(0)] }],
    ["an axis twice", { operator: "Unsqueeze", inputs: ["float32[2]", int64(0, 0)] }],
    ["an axis out of range", { operator: "Softmax", inputs: ["float32[2]"], attributes: { axis: 1 } }],
    [
      "a Concat of shapes that differ elsewhere",
      { operator: "Concat", inputs: ["float32[2,3]", "float32[2,4]"], attributes: { axis: 0 } },
    ],
    ["parts that do not sum to the whole", { operator: "Split", inputs: ["float32[5]", int64(2, 2)] }],
    ["an index out of range", { operator: "Gather", inputs: [int64(1, 2), int64(2)] }],
    ["a negative size", { operator: "ConstantOfShape", inputs: [int64(-1)] }],
    ["negative sizes whose product is positive", { operator: "ConstantOfShape", inputs: [int64(-2, -3)] }],
    ["a negative part", { operator: "Split", inputs: [int64(1, 2), int64(3, -1)] }],
    ["an infinite size", { operator: "Expand", inputs: ["float32[1]", int64(Infinity)] }],
    [
      "an endless Range",
      {
        operator: "Range",
        inputs: [known("int64", [], [0]), known("int64", [], [5]), known("int64", [], [0])],
      },
    ],
    ["a missing input", { operator: "MatMul", inputs: ["float32[2,3]"] }],
    ["a missing attribute", { operator: "Concat", inputs: ["float32[2]"] }],
    [
      "an attribute of another kind",
      { operator: "Concat", inputs: ["float32[2]"], attributes: { axis: "0" } },
    ],
    ["NonZero of data", { operator: "NonZero", inputs: ["float32[2]"] }],
  ])("refuses %s", (_, spec) => {
    expectCode("RR_GRAPH", () => evaluateCase(spec));
  });

  test("refuses an undefined value", () => {
    const graph = graphOf({ nodes: [node("Relu", ["nowhere"], ["y"])] });
    expect(expectCode("RR_GRAPH", () => evaluateShapes(graph, {})).message).toContain("nowhere");
  });

  test("refuses a value defined twice", () => {
    const twice: GraphNode[] = [node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])];
    expectCode("RR_GRAPH", () => evaluateShapes(graphOf({ inputs: ["x float32[2]"], nodes: twice }), {}));
  });
});
