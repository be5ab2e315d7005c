import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { evaluatePair } from "./pair.js";
import { isStatic } from "./size-pair.js";
import { graphOf, node } from "./testing/graph-of.js";
import { int64, known } from "./testing/operator-case.js";

test("a dimension is static if both settings agree", () => {
  const graph = graphOf({ inputs: ["x float32[batch,sequence,64]"], nodes: [node("Relu", ["x"], ["y"])] });
  const dims = evaluatePair(graph).values.get("y")?.dims;
  expect(dims).toEqual([
    [7, 11],
    [13, 19],
    [64, 64],
  ]);
  expect(dims?.map(isStatic)).toEqual([false, false, true]);
});

test("contents are paired element by element", () => {
  const graph = graphOf({ inputs: ["x float32[batch,64]"], nodes: [node("Shape", ["x"], ["shape"])] });
  expect(evaluatePair(graph).values.get("shape")?.contents).toEqual([
    [7, 11],
    [64, 64],
  ]);
});

test("contents are omitted if their number depends on sizes", () => {
  const graph = graphOf({
    inputs: ["x float32[batch]"],
    constants: { zero: known("int64", [], [0]), one: known("int64", [], [1]) },
    nodes: [node("Size", ["x"], ["size"]), node("Range", ["zero", "size", "one"], ["y"])],
  });
  const y = evaluatePair(graph).values.get("y");
  expect(y?.dims).toEqual([[7, 11]]);
  expect(y?.contents).toBeUndefined();
});

test("refuses a rank that depends on sizes", () => {
  const graph = graphOf({
    inputs: ["x float32[batch]"],
    constants: { seven: int64(7), one: int64(1) },
    nodes: [
      node("Shape", ["x"], ["size"]),
      node("Div", ["seven", "size"], ["once"]),
      node("ConstantOfShape", ["once"], ["ones"]),
      node("Shape", ["ones"], ["rank"]),
      node("ConstantOfShape", ["rank"], ["list"], {
        value: { kind: "tensor", value: { type: "int64", dims: [1], data: BigInt64Array.of(1n) } },
      }),
      node("Reshape", ["one", "list"], ["y"]),
    ],
  });
  expect(expectCode("RR_GRAPH", () => evaluatePair(graph)).message).toContain("value y");
});
