import { expect, it } from "vitest";
import { checkGraph, entryGraph, type Graph, GraphBuilder, renameValues } from "./index.js";

/** `encode` computes `k = xW`; `decode` computes `y = qW + k`, where k is in a cache that `encode` fills. */
function twoEntries(): Graph {
  const g = new GraphBuilder();
  const weight = (name: string) =>
    g.weight(name, { type: "float32", dims: [4, 4], source: { kind: "absent" } });
  g.entry("encode", () => {
    const x = g.input("x", "float32", ["batch", "source", 4]);
    g.output("k", g.matmul(g.matmul(x, weight("own")), weight("shared")), "float32", ["batch", "source", 4]);
  });
  g.entry("decode", () => {
    const q = g.input("q", "float32", ["batch", 1, 4]);
    g.input("positions", "int64", ["batch", "kept"]);
    const kept = g.input("kept", "float32", ["batch", "kept", 4]);
    g.output("y", g.add(g.matmul(q, weight("shared")), kept), "float32", ["batch", "kept", 4]);
  });
  g.cache({
    positions: "positions",
    filledBy: "encode",
    states: [{ past: "kept", present: "k", axis: 1 }],
  });
  return g.build();
}

const namesOf = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);

it("an entry has the inputs and outputs that were declared in it", () => {
  expect(twoEntries().entries).toEqual({
    encode: { inputs: ["x"], outputs: ["k"] },
    decode: { inputs: ["q", "positions", "kept"], outputs: ["y"] },
  });
});

it("an entry's graph has only the nodes and weights it needs, and no state of another entry", () => {
  const decode = entryGraph(twoEntries(), "decode");
  checkGraph(decode);
  expect(namesOf(decode.inputs)).toEqual(["q", "positions", "kept"]);
  expect(namesOf(decode.outputs)).toEqual(["y"]);
  expect(decode.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
  expect([...decode.weights.keys()]).toEqual(["shared"]);
  expect(decode.caches).toEqual([]);
});

it("an unknown entry is refused with RR_GRAPH that lists the known ones", () => {
  expect(() => entryGraph(twoEntries(), "forward")).toThrow(
    expect.objectContaining({ code: "RR_GRAPH", message: expect.stringContaining("encode, decode") }),
  );
});

it("entries follow a renaming of values", () => {
  const renamed = renameValues(twoEntries(), (name) => `${name}'`);
  expect(renamed.entries!.encode).toEqual({ inputs: ["x'"], outputs: ["k'"] });
});
