import { expect, it } from "vitest";
import { type JsonObject, type JsonValue, openCheckpoint } from "../checkpoint/index.js";
import type { Graph } from "../graph/index.js";
import { zooDirectory } from "../testing/fixtures.js";
import { buildGraph } from "./index.js";

/** A zoo checkpoint's graph, as its config alone makes it, with `changes` to that. */
function graphOf(name: string, changes: JsonObject): Graph {
  const { config } = openCheckpoint(zooDirectory(name));
  return buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
}

/** What transformers 5.18 takes where a config does not say, and another family of the same frame would not. */
it.each<[string, string, JsonValue]>([
  ["ernie4.5", "head_dim", 128],
  ["glm", "attention_bias", true],
  ["m2m-100", "activation_function", "relu"],
  ["m2m-100", "scale_embedding", true],
  ["mixtral", "rope_parameters", { rope_theta: 1_000_000 }],
])("%s without %s is as with %j", (name, field, stated) => {
  expect(graphOf(name, { [field]: null })).toEqual(graphOf(name, { [field]: stated }));
});

it("GPT-Neo's layers are those of attention_types, where attention_layers does not list them", () => {
  const layers = { num_layers: 3, attention_layers: null };
  const repeated = graphOf("gpt-neo", {
    ...layers,
    attention_types: [
      [["local"], 2],
      [["global"], 1],
    ],
  });
  const listed = graphOf("gpt-neo", { ...layers, attention_layers: ["local", "local", "global"] });
  expect(repeated).toEqual(listed);
});

it.each<[JsonValue]>([["local"], [[["local"]]], [[["local", -1]]], [[[["sparse"], 2]]]])(
  "attention_types that make no sense are refused with RR_CONFIG: %j",
  (attention_types) => {
    expect(() => graphOf("gpt-neo", { attention_layers: null, attention_types })).toThrow(
      expect.objectContaining({ code: "RR_CONFIG" }),
    );
  },
);
