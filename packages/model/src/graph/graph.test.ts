import { describe, expect, it } from "vitest";
import { buildGraph } from "../architectures/index.js";
import { openCheckpoint } from "../checkpoint/index.js";
import { zooDirectory } from "../testing/fixtures.js";
import { checkGraph, type Graph, GraphBuilder, renameValues, reorderNodes } from "./index.js";

const { graph: llama } = buildGraph(openCheckpoint(zooDirectory("llama")));

/** A repeatable stream of indices (https://en.wikipedia.org/wiki/Linear_congruential_generator). */
function chooser(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}

describe("GraphBuilder", () => {
  it("names an output after its node, without a copy", () => {
    const g = new GraphBuilder();
    g.output("y", g.relu(g.input("x", "float32", [1])), "float32", [1]);
    expect(g.build().nodes).toMatchObject([{ opType: "Relu", inputs: ["x"], outputs: ["y"] }]);
  });

  it("copies a value that already has a name of its own", () => {
    const g = new GraphBuilder();
    const y = g.relu(g.input("x", "float32", [1]));
    g.output("y", y, "float32", [1]);
    g.output("z", y, "float32", [1]);
    expect(g.build().nodes.at(-1)).toMatchObject({ opType: "Identity", inputs: ["y"], outputs: ["z"] });
  });

  it("stores equal constants once, but not if types or shapes differ", () => {
    const g = new GraphBuilder();
    expect(g.integers([1, 2])).toBe(g.integers([1, 2]));
    expect(g.integers([1])).not.toBe(g.integer(1));
    expect(g.numbers([1], [1])).not.toBe(g.integers([1]));
  });

  it("returns the same value for a weight that is requested twice", () => {
    const g = new GraphBuilder();
    const weight = { type: "float32", dims: [2], source: { kind: "absent" } } as const;
    expect(g.weight("w", weight)).toBe(g.weight("w", weight));
    expect(g.build().weights.size).toBe(1);
  });

  it("refuses a second input with the same name, with RR_GRAPH", () => {
    const g = new GraphBuilder();
    g.input("x", "float32", []);
    expect(() => g.input("x", "float32", [])).toThrow(expect.objectContaining({ code: "RR_GRAPH" }));
  });
});

describe("checkGraph", () => {
  it("accepts the graphs of architectures", () => {
    expect(() => checkGraph(llama)).not.toThrow();
  });

  const [first, ...others] = llama.nodes;
  it.each<[string, Graph]>([
    ["a node before its inputs", { ...llama, nodes: [...others, first!] }],
    ["a value defined twice", { ...llama, nodes: [...llama.nodes, first!] }],
    ["an output that no node computes", { ...llama, nodes: llama.nodes.slice(0, -1) }],
    ["a missing input", { ...llama, inputs: llama.inputs.slice(1) }],
    ["a cache whose inputs are missing", { ...llama, caches: [{ positions: "nowhere", states: [] }] }],
  ])("refuses %s with RR_GRAPH", (_, graph) => {
    expect(() => checkGraph(graph)).toThrow(expect.objectContaining({ code: "RR_GRAPH" }));
  });
});

describe("reorderNodes", () => {
  it("keeps every node, in a different topological order", () => {
    const reordered = reorderNodes(llama, chooser(1));
    expect(() => checkGraph(reordered)).not.toThrow();
    expect(new Set(reordered.nodes)).toEqual(new Set(llama.nodes));
    expect(reordered.nodes).not.toEqual(llama.nodes);
  });

  it("sorts unordered nodes", () => {
    const backward = { ...llama, nodes: [...llama.nodes].reverse() };
    expect(() => checkGraph(reorderNodes(backward, () => 0))).not.toThrow();
  });

  it("refuses a cycle with RR_GRAPH", () => {
    const node = { opType: "Relu", domain: "", attributes: {} };
    const cycle = [
      { ...node, inputs: ["a"], outputs: ["b"] },
      { ...node, inputs: ["b"], outputs: ["a"] },
    ];
    const graph = { ...llama, nodes: cycle };
    expect(() => reorderNodes(graph, () => 0)).toThrow(expect.objectContaining({ code: "RR_GRAPH" }));
  });
});

describe("renameValues", () => {
  it("keeps no old name, and the graph valid", () => {
    const renamed = renameValues(llama, (name) => `r${name.length}_${Math.abs(hash(name))}`);
    expect(() => checkGraph(renamed)).not.toThrow();
    const values = renamed.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
    expect(values.every((name) => name === "" || name.startsWith("r"))).toBe(true);
    expect(renamed.caches[0]?.positions).toMatch(/^r/);
  });

  function hash(text: string): number {
    return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  }
});
