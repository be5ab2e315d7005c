import { isRingrankError } from "@ringrank/errors";
import { describe, expect, it } from "vitest";
import { buildGraph } from "../architectures/index.js";
import { openCheckpoint } from "../checkpoint/index.js";
import { type Graph, GraphBuilder } from "../graph/index.js";
import { zooDirectory } from "../testing/fixtures.js";
import { decodeOnnx, encodeOnnx } from "./index.js";

/** Without what ONNX does not store: which inputs are state, and where external weights are if nobody resolves them. */
function withoutFilesAndCaches(graph: Graph): Graph {
  const weights = Array.from(graph.weights, ([name, weight]) => {
    const source = weight.source.kind === "inline" ? weight.source : { kind: "absent" as const };
    return [name, { ...weight, source }] as const;
  });
  return { ...graph, caches: [], weights: new Map(weights) };
}

describe("a graph as ONNX", () => {
  it.each(["llama", "gpt2", "bloom", "mistral-window"])("survives encoding and decoding: %s", (name) => {
    const { graph } = buildGraph(openCheckpoint(zooDirectory(name)));
    // alpha = 1/√headDim is float32 in ONNX.
    const rounded = JSON.parse(JSON.stringify(graph.nodes), (key, value: unknown) =>
      key === "value" && typeof value === "number" ? Math.fround(value) : value,
    );
    const decoded = decodeOnnx(encodeOnnx(graph));
    expect(decoded.nodes.map((node) => ({ ...node }))).toEqual(rounded);
    expect({ ...decoded, nodes: [] }).toEqual({ ...withoutFilesAndCaches(graph), nodes: [] });
  });

  it('keeps the largest int64, which means "to the end"', () => {
    const graph = (): Graph => {
      const g = new GraphBuilder();
      const largest = 2 ** 63;
      const attributes = { value_ints: { kind: "ints", value: [largest, -largest] } } as const;
      g.output("y", g.node("Constant", [], { attributes }), "int64", [2]);
      return g.build();
    };
    expect(decodeOnnx(encodeOnnx(graph())).nodes).toEqual(graph().nodes);
  });

  it("finds external weights if the caller resolves their location", () => {
    const g = new GraphBuilder();
    const weight = g.weight("w", { type: "float32", dims: [2, 3], source: { kind: "absent" } });
    g.output("y", g.relu(weight), "float32", [2, 3]);
    const bytes = encodeOnnx(g.build(), { locate: () => ({ location: "some.data", offset: 4096 }) });
    const decoded = decodeOnnx(bytes, {
      resolveExternal: (location) => ({ path: `/models/${location}`, size: 8192 }),
    });
    expect(decoded.weights.get("w")?.source).toEqual({
      kind: "file",
      file: "/models/some.data",
      offset: 4096,
      storedAs: "float32",
    });
  });

  it("keeps attributes of every kind, including the graph of a branch", () => {
    const branch = new GraphBuilder();
    branch.output("branch_y", branch.numbers([1, 2], [2]), "float32", [2]);
    const graph: Graph = {
      opsets: { "": 23 },
      inputs: [{ name: "x", type: "bool", dims: [] }],
      outputs: [{ name: "y", type: "float32", dims: [2] }],
      nodes: [
        {
          opType: "Any",
          domain: "com.microsoft",
          inputs: ["x", "", "x"],
          outputs: ["y"],
          attributes: {
            int: { kind: "int", value: -7 },
            float: { kind: "float", value: 0.5 },
            string: { kind: "string", value: "Straße" },
            ints: { kind: "ints", value: [1, -2] },
            floats: { kind: "floats", value: [0.25] },
            strings: { kind: "strings", value: ["a", ""] },
            tensor: { kind: "tensor", value: { type: "int64", dims: [1], data: BigInt64Array.of(5n) } },
            graph: {
              kind: "graph",
              value: { ...branch.build(), opsets: { "": 23 }, outputs: [{ name: "branch_y" }] },
            },
          },
        },
      ],
      weights: new Map(),
      caches: [],
    };
    expect(decodeOnnx(encodeOnnx(graph))).toEqual(graph);
  });
});

describe("bytes that are not an ONNX model", () => {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["n", 2]);
  g.output("y", g.add(x, g.numbers([1, 2], [2])), "float32", ["n", 2]);
  const good = encodeOnnx(g.build());

  it.each([
    ["nothing", new Uint8Array(0)],
    ["a text file", new TextEncoder().encode("this is not a model")],
    ["a truncated model", good.subarray(0, good.length - 5)],
    ["a tensor with too few bytes for its shape", withDim(good, 2, 120)],
  ])("are refused with RR_FILE_FORMAT: %s", (_, bytes) => {
    expect(codeOf(() => decodeOnnx(bytes))).toBe("RR_FILE_FORMAT");
  });

  /** The model with the constant's `dims: [from]` (field 1, varint) changed to `[to]`. */
  function withDim(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const changed = Uint8Array.from(bytes);
    // dims = [from], data_type = FLOAT (field 2).
    const at = changed.findIndex(
      (byte, i) => byte === 8 && changed[i + 1] === from && changed[i + 2] === 16 && changed[i + 3] === 1,
    );
    expect(at).toBeGreaterThan(0);
    changed[at + 1] = to;
    return changed;
  }
});

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (isRingrankError(error)) return error.code;
    throw error;
  }
  return undefined;
}
