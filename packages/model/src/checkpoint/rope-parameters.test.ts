import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { parseJsonObject } from "../files/json.js";
import { openCheckpoint } from "./checkpoint.js";
import { ConfigReader } from "./config-reader.js";
import { type RopeOptions, ropeParameters } from "./rope-parameters.js";

const zoo = fileURLToPath(new URL("../../../../test/fixtures/zoo", import.meta.url));

function rope(config: object, options?: RopeOptions) {
  const object = parseJsonObject(Buffer.from(JSON.stringify(config)), "config.json", { maxBytes: 1e6 });
  return ropeParameters(new ConfigReader(object), options);
}

const plain = (theta: number, partialRotaryFactor = 1) => ({
  theta,
  partialRotaryFactor,
  scaling: { type: "default" },
});

test("reads version 4: fields at the top level, under any of their names", () => {
  expect(rope({})).toEqual(plain(10_000));
  expect(rope({ rope_theta: 5e5, rope_scaling: null })).toEqual(plain(5e5));
  expect(rope({ rotary_emb_base: 2e4, rotary_pct: 0.25 })).toEqual(plain(2e4, 0.25));
  expect(rope({ rotary_emb_base: 2e4, rope_theta: 1e4 })).toEqual(plain(2e4));
  expect(rope({ rope_theta: 1e4, partial_rotary_factor: 0.5 })).toEqual(plain(1e4, 0.5));
});

test("reads version 5: one object, which includes theta and the fraction", () => {
  const rope_parameters = { rope_type: "default", rope_theta: 1e6, partial_rotary_factor: 0.5 };
  expect(rope({ rope_parameters })).toEqual(plain(1e6, 0.5));
});

test("treats positions in time, height and width as one, as they are for text", () => {
  const rope_scaling = { type: "mrope", mrope_section: [16, 24, 24] };
  expect(rope({ rope_theta: 1e6, rope_scaling })).toEqual(plain(1e6));
});

test("reads version 5: an object for each type of layer", () => {
  const config = {
    rope_parameters: {
      full_attention: { rope_type: "linear", factor: 8, rope_theta: 1e6 },
      sliding_attention: { rope_type: "default", rope_theta: 1e4 },
    },
  };
  expect(rope(config)).toMatchObject({ theta: 1e6, scaling: { type: "linear", factor: 8 } });
  expect(rope(config, { layerType: "sliding_attention" })).toEqual(plain(1e4));
  expectCode("RR_CONFIG", () => rope(config, { layerType: "chunked_attention" }));
});

test("reads version 4: layers with a field for their theta use it, or its default, without scaling", () => {
  const config = { rope_theta: 1e6, rope_scaling: { type: "linear", factor: 8 } };
  const sliding = { layerType: "sliding_attention", ownTheta: "rope_local_base_freq" };
  expect(rope(config)).toMatchObject({ theta: 1e6, scaling: { type: "linear", factor: 8 } });
  expect(rope(config, sliding)).toEqual(plain(1e4));
  expect(rope({ ...config, rope_local_base_freq: 5e3 }, sliding)).toEqual(plain(5e3));
});

test("reads a rope_scaling that was added to a config of version 5", () => {
  const rope_scaling = { rope_type: "linear", factor: 8 };
  const rope_parameters = { rope_type: "default", rope_theta: 1e6 };
  expect(rope({ rope_parameters, rope_scaling })).toMatchObject({ theta: 1e6, scaling: { factor: 8 } });
});

test("both styles of Llama 3 scaling are the same", () => {
  const scaling = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const version4 = rope({ rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...scaling } });
  const version5 = rope({ rope_parameters: { rope_theta: 5e5, rope_type: "llama3", ...scaling } });
  expect(version4).toEqual(version5);
  expect(version4.scaling).toEqual({
    type: "llama3",
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositionEmbeddings: 8192,
  });
});

test("the original context of a scaling is the config's, else the scaling's, else the model's", () => {
  const own = { original_max_position_embeddings: 512 };
  const original = (config: object, scaling: object = {}) =>
    rope({ rope_scaling: { type: "yarn", factor: 2, ...scaling }, max_position_embeddings: 2048, ...config })
      .scaling;
  expect(original({})).toMatchObject({ originalMaxPositionEmbeddings: 2048 });
  expect(original({}, own)).toMatchObject({ originalMaxPositionEmbeddings: 512 });
  expect(original({ original_max_position_embeddings: 1024 }, own)).toMatchObject({
    originalMaxPositionEmbeddings: 1024,
  });
});

test("dynamic scaling starts at the model's context, whatever its original context was", () => {
  const rope_scaling = { type: "dynamic", factor: 2, original_max_position_embeddings: 512 };
  const config = { rope_scaling, max_position_embeddings: 2048, original_max_position_embeddings: 1024 };
  expect(rope(config).scaling).toEqual({ type: "dynamic", factor: 2, maxPositionEmbeddings: 2048 });
});

test("dynamic scaling with alpha, as in Hunyuan, is the same for all lengths", () => {
  const rope_scaling = { type: "dynamic", alpha: 1000, factor: 1, beta_fast: 32, beta_slow: 1, mscale: 1 };
  expect(rope({ rope_scaling, max_position_embeddings: 2048 }).scaling).toEqual({ type: "ntk", alpha: 1000 });
});

test("proportional scaling rotates all lanes, some of them by 0", () => {
  const rope_parameters = { rope_type: "proportional", rope_theta: 1e6, partial_rotary_factor: 0.25 };
  expect(rope({ rope_parameters })).toEqual({
    theta: 1e6,
    partialRotaryFactor: 1,
    scaling: { type: "proportional", factor: 1, fraction: 0.25 },
  });
});

test("reads Phi-3's name for longrope, with a list per length", () => {
  const rope_scaling = { type: "su", short_factor: [1, 2], long_factor: [3, 4] };
  expect(rope({ rope_scaling, original_max_position_embeddings: 4096 }).scaling).toEqual({
    type: "longrope",
    shortFactor: [1, 2],
    longFactor: [3, 4],
    originalMaxPositionEmbeddings: 4096,
  });
});

test("reads Phi-3.5-MoE's scale of cosines and sines if it is the same for short and long sequences", () => {
  const lists = { type: "longrope", short_factor: [1], long_factor: [3] };
  const scaled = (scales: object) =>
    rope({ rope_scaling: { ...lists, ...scales }, original_max_position_embeddings: 4096 });
  expect(scaled({ short_mscale: 1.25, long_mscale: 1.25 }).scaling).toMatchObject({ attentionFactor: 1.25 });
  expectCode("RR_CONFIG", () => scaled({ short_mscale: 1.25, long_mscale: 1.5 }));
});

test("fills in yarn's defaults", () => {
  expect(rope({ rope_scaling: { type: "yarn", factor: 4 }, max_position_embeddings: 8 }).scaling).toEqual({
    type: "yarn",
    factor: 4,
    originalMaxPositionEmbeddings: 8,
    betaFast: 32,
    betaSlow: 1,
    truncate: true,
  });
});

test.each([
  { rope_scaling: { type: "spiral", factor: 2 } },
  { rope_scaling: { type: "linear" } },
  { rope_scaling: { factor: 2 } },
  { rope_parameters: { rope_theta: 10_000, short_factor: [1], long_factor: [2] } },
  { rope_scaling: { type: "linear", factor: 0 } },
  { rope_scaling: "linear" },
  { rope_scaling: { type: "su", short_factor: [1], long_factor: [], original_max_position_embeddings: 4 } },
  {
    rope_scaling: {
      type: "llama3",
      factor: 8,
      low_freq_factor: 4,
      high_freq_factor: 4,
      original_max_position_embeddings: 8,
    },
  },
  { rope_theta: 0 },
  { rope_theta: "10000" },
  { partial_rotary_factor: 1.5 },
])("refuses invalid settings: %j", (config) => {
  expectCode("RR_CONFIG", () => rope(config));
});

test.each(readdirSync(zoo).filter((name) => /^(llama|mistral|qwen)(?!.*-vl)/.test(name)))(
  "reads the fixture %s",
  (name) => {
    const { theta, scaling } = ropeParameters(new ConfigReader(openCheckpoint(`${zoo}/${name}`).config));
    expect(theta).toBe(name === "llama4" ? 500_000 : 10_000);
    expect(scaling.type).toBe(name === "llama-tied-rope3" ? "llama3" : "default");
  },
);
