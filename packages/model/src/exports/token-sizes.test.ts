import { expect, it } from "vitest";
import type { Graph, ValueInfo } from "../graph/index.js";
import { withTokenSizes } from "./token-sizes.js";

const int64 = (name: string, ...dims: ValueInfo["dims"]): ValueInfo => ({ name, type: "int64", dims });

function graphOf(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[] = []): Graph {
  return { opsets: { "": 20 }, inputs, outputs, nodes: [], weights: new Map(), caches: [] };
}

it("masks, positions and token types get the sizes of their tokens, whatever the names of these", () => {
  const { inputs, outputs } = withTokenSizes(
    graphOf(
      [
        int64("attention_mask", "s1", "s2"),
        int64("decoder_attention_mask", "s3", 4),
        int64("decoder_input_ids", "batch", "target"),
        int64("input_ids", "batch", "source"),
        int64("token_type_ids", "batch", "source"),
      ],
      [int64("y", "s1", "s3", "s2")],
    ),
  );
  expect(inputs.map(({ dims }) => dims)).toEqual([
    ["batch", "source"],
    ["batch", 4],
    ["batch", "target"],
    ["batch", "source"],
    ["batch", "source"],
  ]);
  expect(outputs[0]!.dims).toEqual(["batch", "batch", "source"]);
});

it("a mask of another rank, or without tokens, keeps its sizes", () => {
  const inputs = [
    int64("attention_mask", "s1", 1, "s2"),
    int64("input_ids", "batch", "source"),
    int64("decoder_attention_mask", "s3", "s4"),
  ];
  expect(withTokenSizes(graphOf(inputs)).inputs).toEqual(inputs);
});
