import { describe, expect, it } from "vitest";
import type { Graph, ValueInfo } from "../graph/index.js";
import { takingItsTokens } from "./one-token.js";

/** A decoder whose state is declared to grow from `past` to `grown`. */
function decoder(past: string | number, grown: string | number): Graph {
  const value = (name: string, dims: ValueInfo["dims"]): ValueInfo => ({ name, type: "int64", dims });
  return {
    opsets: { "": 14 },
    inputs: [
      value("input_ids", ["batch", "length"]),
      value("position_ids", ["batch", "length"]),
      value("past_key_values.0.key", ["batch", 2, past, 4]),
    ],
    outputs: [value("logits", ["batch", "length", 9]), value("present.0.key", ["batch", 2, grown, 4])],
    nodes: [],
    weights: new Map(),
    caches: [],
  };
}

const sizesOf = ({ inputs, outputs }: Graph) => [...inputs, ...outputs].map(({ dims }) => dims[1]);

describe("a decoder with past", () => {
  it("takes one token if its state is declared to grow by one row", () => {
    expect(sizesOf(takingItsTokens(decoder("past", "past + 1")))).toEqual([1, 1, 2, 1, 2]);
  });

  it.each([
    ["past", "past + length"],
    ["past", "rows"],
    [0, 1],
  ])("takes any number of tokens if its state grows from %s to %s", (past, grown) => {
    const graph = decoder(past, grown);
    expect(takingItsTokens(graph)).toBe(graph);
  });
});
