import { expect, it } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import { type JsonObject, openCheckpoint } from "../../checkpoint/index.js";
import type { Graph } from "../../graph/index.js";
import { zooDirectory } from "../../testing/fixtures.js";
import { buildGraph } from "../index.js";

/** The graph that a zoo checkpoint's config gives with `changes`, without tensors. */
function graphOf(name: string, changes: JsonObject = {}): Graph {
  const { config } = openCheckpoint(zooDirectory(name));
  return buildGraph({ config: { ...config, ...changes }, tensors: undefined }).graph;
}

it("a recurrent layer keeps a state and its convolution's last positions, an attention layer keys and values", () => {
  const { recurrent, caches } = graphOf("granite4-hybrid");
  expect(recurrent!.map(({ past }) => past)).toEqual(["past.0.positions", "past.0.state"]);
  expect(caches.flatMap(({ states }) => states.map(({ past }) => past))).toEqual([
    "past.1.key",
    "past.1.value",
  ]);
});

it.each([
  ["granite4-hybrid", { layer_types: ["mamba", "attention"] }],
  ["qwen3-next", { layer_types: null, full_attention_interval: 2 }],
  ["bamba", { layer_types: ["linear_attention", "full_attention"] }],
  ["nemotron-h", { layers_block_type: null, hybrid_override_pattern: "M-*E" }],
  ["nemotron-h", { layers_block_type: ["mamba", "mlp", "attention", "moe"], num_hidden_layers: 4 }],
])("%s has the same layers whichever way the config lists the recurrent ones: %j", (name, changes) => {
  expect(graphOf(name, changes)).toEqual(graphOf(name));
});

it("refuses an unknown layer type", () => {
  const { message } = expectCode("RR_CONFIG", () =>
    graphOf("qwen3-next", { layer_types: ["linear_attention", "sliding_attention"] }),
  );
  expect(message).toContain("for layer 1, got sliding_attention");
});

it.each([
  ["qwen3-next", { linear_num_value_heads: 6 }],
  ["bamba", { mamba_n_heads: 7 }],
  ["mamba2", { n_groups: 3 }],
  ["nemotron-h", { n_groups: 3 }],
])("%s is refused with %j, which does not fit its other sizes", (name, changes) => {
  expectCode("RR_CONFIG", () => graphOf(name, changes));
});

it.each([
  ["a letter that stands for no kind of layer", { layers_block_type: null, hybrid_override_pattern: "M-X" }],
  ["no list of kinds of layers", { layers_block_type: null }],
])("Nemotron-H is refused with %s", (_, changes) => {
  expectCode("RR_CONFIG", () => graphOf("nemotron-h", changes));
});

it.each<[string, JsonObject, string[]]>([
  ["none", {}, []],
  ["both", { time_step_limit: [0.001, 0.1] }, ["Max", "Min"]],
  ["only a lower one", { time_step_limit: [0.001, { __float__: "Infinity" }] }, ["Max"]],
])("time steps have the config's limits: %s", (_, changes, expected) => {
  const bounds = graphOf("bamba", changes).nodes.flatMap(({ opType }) =>
    /^M(ax|in)$/.test(opType) ? [opType] : [],
  );
  expect(bounds).toEqual(expected);
});

it.each<[string, string]>([
  ["bamba", "hidden_act"],
  ["falcon-h1", "hidden_act"],
  ["granite4-hybrid", "hidden_act"],
  ["mamba2", "hidden_act"],
  ["nemotron-h", "mamba_hidden_act"],
  ["qwen3-next", "hidden_act"],
])("the gate of a recurrent layer of %s is opened by silu, whatever %s says", (name, field) => {
  const silus = (changes: JsonObject) =>
    graphOf(name, changes).nodes.filter(({ opType, attributes }) => {
      return opType === "QuickGelu" && attributes.alpha?.value === 1;
    }).length;
  expect(silus({ [field]: "relu" })).toBe(graphOf(name).recurrent!.length / 2);
});

it("a config whose layers all have experts needs no width of other feed-forwards, as in Qwen3.5's", () => {
  const text_config = openCheckpoint(zooDirectory("qwen3.5-moe")).config.text_config as JsonObject;
  const silent = { ...text_config, intermediate_size: null };
  expect(graphOf("qwen3.5-moe", { text_config: silent })).toEqual(graphOf("qwen3.5-moe"));
});

it.each(["soon", [0], [0, "never"]])("refuses %j as limits of time steps", (limit) => {
  expectCode("RR_CONFIG", () => graphOf("bamba", { time_step_limit: limit }));
});
