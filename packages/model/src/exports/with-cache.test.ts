import { describe, expect, it } from "vitest";
import { type Graph, GraphBuilder, type Value } from "../graph/index.js";
import { withCache } from "./with-cache.js";

interface Options {
  /** The output state, from the input state and the new rows. */
  readonly present?: (g: GraphBuilder, past: Value, rows: Value) => Value;
  readonly past?: readonly (number | string)[];
  readonly ids?: readonly [number | string, number | string];
  readonly input?: string;
  readonly logits?: "float32" | "float16";
}

/** `logits = Σ over past and new rows`, masked; `[b, s, 4]`. */
function decoder({
  present = append,
  past: dims = ["b", 2, "p", 4],
  ids: sizes = ["b", "s"],
  input,
  logits: type = "float32",
}: Options = {}): Graph {
  const g = new GraphBuilder();
  const ids = g.input("input_ids", "int64", sizes);
  const mask = g.input("attention_mask", "int64", ["b", "p + s"]);
  const past = g.input("past_key_values.0.key", "float32", dims);
  if (input !== undefined) g.input(input, "int64", ["b", "s"]);
  const table = g.numbers(
    Array.from({ length: 80 }, (_, i) => i),
    [10, 2, 4],
  );
  const rows = g.transpose(g.gather(table, ids, 0), [0, 2, 1, 3]);
  const all = present(g, past, rows);
  const seen = g.mul(all, g.unsqueeze(g.cast(mask, "float32"), [1, 3]));
  const logits = g.reduceSum(seen, [2]);
  g.output("logits", type === "float32" ? logits : g.cast(logits, type), type, ["b", 2, 1, 4]);
  g.output("present.0.key", all, "float32", ["b", 2, "p + s", 4]);
  return g.build();
}

function append(g: GraphBuilder, past: Value, rows: Value): Value {
  return g.concat([past, rows], 2);
}

describe("a decoder export", () => {
  const { inputs, outputs, caches } = withCache(decoder());

  it("gets a cache for its past, whose present is only the new rows", () => {
    expect(caches).toEqual([
      {
        positions: "past_positions",
        exact: true,
        states: [{ past: "past.0.key", present: "present.0.key", axis: 2 }],
      },
    ]);
    expect(outputs).toContainEqual({
      name: "present.0.key",
      type: "float32",
      dims: ["batch", 2, "sequence", 4],
    });
  });

  it("reads a mask of the new tokens, their ids, and positions if the export does", () => {
    expect(inputs.map(({ name, dims }) => [name, ...dims])).toEqual([
      ["input_ids", "batch", "sequence"],
      ["attention_mask", "batch", "sequence"],
      ["past_positions", "batch", "past"],
      ["past.0.key", "batch", 2, "past", 4],
    ]);
  });

  it("reads one new token at a time if the export takes no more", () => {
    const { inputs: one } = withCache(decoder({ ids: ["b", 1] }));
    expect(one.map(({ name, dims }) => [name, ...dims])).toEqual([
      ["input_ids", "batch", 1],
      ["attention_mask", "batch", 1],
      ["past_positions", "batch", "past"],
      ["past.0.key", "batch", 2, "past", 4],
    ]);
  });

  it("has logits in float32, for sampling, even if the export has them in float16", () => {
    const half = withCache(decoder({ logits: "float16" }));
    expect(half.outputs.find(({ name }) => name === "logits")).toMatchObject({ type: "float32" });
    const maker = half.nodes.find(({ outputs }) => outputs.includes("logits"));
    expect(maker).toMatchObject({ opType: "Cast", inputs: ["exported·logits"] });
  });

  it("without a past is returned unchanged", () => {
    const graph = { ...decoder(), inputs: decoder().inputs.filter(({ name }) => !name.startsWith("past")) };
    const plain = { ...graph, outputs: graph.outputs.filter(({ name }) => name === "logits") };
    expect(withCache(plain)).toBe(plain);
  });

  it.each<[string, Options]>([
    ["another name", { present: (g, past, rows) => append(g, g.node("Identity", [past]), rows) }],
    // Written by TorchScript for a cache that was empty at first.
    ["a Concat of it alone", { present: (g, past, rows) => append(g, g.concat([past], 2), rows) }],
  ])("gets a cache if its past goes through %s", (_, options) => {
    expect(withCache(decoder(options)).caches).toEqual(caches);
  });

  it("gets a cache if its state is cast to its own type, repeatedly", () => {
    const cast = (g: GraphBuilder, past: Value, rows: Value) =>
      g.cast(g.cast(append(g, past, rows), "float32"), "float32");
    expect(withCache(decoder({ present: cast })).caches).toEqual(caches);
  });

  it.each<[string, Options, string]>([
    ["whose state is recomputed", { present: (_, _past, rows) => rows }, "found Transpose"],
    ["that puts new rows first", { present: (g, past, rows) => append(g, rows, past) }, "found Concat of"],
    ["whose state has no batch axis", { past: [8, 2, "p", 4] }, "found"],
    ["with a size that is only known at run time", { past: ["b", "h", "p", 4] }, "all sizes but those two"],
    ["for one sequence only", { ids: [1, "s"] }, "of any [batch, sequence] or [batch, 1], found [1,s]"],
    ["for two tokens at a time", { ids: ["b", 2] }, "found [b,2]"],
    ["with an unknown input", { input: "cache_position" }, "how to fill the input cache_position"],
  ])("%s is refused, saying what was found", (_, options, found) => {
    const message = expect.stringContaining(options.past?.[0] === 8 ? "expected its first axis" : found);
    expect(() => withCache(decoder(options))).toThrow(
      expect.objectContaining({ code: "RR_NO_GENERATE", message }),
    );
  });
});
