import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { ConfigReader, type JsonObject, ropeParameters } from "../../checkpoint/index.js";
import { GraphBuilder } from "../../graph/index.js";
import { encodeOnnx } from "../../onnx/index.js";
import { Parameters } from "../parameters.js";
import { rotaryFrequencies } from "./rotary-scaling.js";

const lanes = 8;

/**
 * The angle per position at each of `positions`, each of a sequence of its own.
 *
 * @param promptLengths of the sequences; 0 if it is no more than the current length
 */
async function turnsPerPosition(
  config: JsonObject,
  positions: readonly number[],
  promptLengths = positions.map(() => 0),
) {
  const g = new GraphBuilder();
  const reader = new ConfigReader(config);
  const context = { g, config: reader, parameters: new Parameters(g, reader, undefined), isHeadless: false };
  const positionIds = g.input("position_ids", "int64", ["batch", "sequence"]);
  const { radians, amplitude } = rotaryFrequencies(context, positionIds, ropeParameters(reader), lanes);
  const perSequence = g.mul(g.unsqueeze(g.cast(positionIds, "float32"), [2]), radians);
  g.output("turns", perSequence, "float32", ["batch", "sequence", lanes / 2]);
  const session = await ort.InferenceSession.create(encodeOnnx(g.build()));
  const ids = BigInt64Array.from(positions, BigInt);
  const lengths = BigInt64Array.from(promptLengths, BigInt);
  const { turns } = await session.run({
    position_ids: new ort.Tensor("int64", ids, [positions.length, 1]),
    ...(session.inputNames.includes("prompt_lengths") && {
      prompt_lengths: new ort.Tensor("int64", lengths, [positions.length]),
    }),
  });
  await session.release();
  const perPosition = Array.from(turns!.data as Float32Array, (turn, i) => turn / positions[i >> 2]!);
  return { perPosition: Float32Array.from(perPosition), amplitude };
}

/** fp32 arithmetic on numbers that transformers keeps in fp32 too. */
const close = { rtol: 1e-5, atol: 0 };

it("yarn keeps the fast pairs, slows the slow ones, and scales queries and keys up", async () => {
  const rope_scaling = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 };
  const { perPosition, amplitude } = await turnsPerPosition({ rope_theta: 10_000, rope_scaling }, [5]);
  expect(perPosition).toBeAllclose(Float32Array.of(1, 0.0625, 0.0025, 0.00025), close);
  expect(amplitude).toBeCloseTo(1 + 0.1 * Math.log(4), 10);
});

it("yarn with truncate false starts and ends its ramp between two pairs, as in gpt-oss", async () => {
  const rope_scaling = {
    rope_type: "yarn",
    factor: 32,
    original_max_position_embeddings: 4096,
    truncate: false,
  };
  const { perPosition } = await turnsPerPosition({ rope_theta: 150_000, rope_scaling }, [5]);
  const expected = Float32Array.of(1, 0.050813274815461475, 0.00045648391922324086, 4.0999784818029795e-6);
  expect(perPosition).toBeAllclose(expected, close);
});

it("yarn's ramp may end beyond the last pair", async () => {
  const rope_scaling = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 1024 };
  const { perPosition } = await turnsPerPosition({ rope_theta: 100, rope_scaling }, [5]);
  // The ramp goes from pair 1 to pair 5, which does not exist: pairs 2 and 3 are at a quarter and half of it.
  expect(perPosition).toBeAllclose(Float32Array.of(1, 0.3162278, 0.08125, 0.01976424), close);
});

it("yarn slows all pairs but the first if none completes a turn within the original context", async () => {
  const rope_scaling = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 4 };
  const { perPosition } = await turnsPerPosition({ rope_theta: 10_000, rope_scaling }, [5]);
  expect(perPosition).toBeAllclose(Float32Array.of(1, 0.025, 0.0025, 0.00025), close);
});

it.each([
  [
    "by the config's two weights",
    { mscale: 2, mscale_all_dim: 1 },
    (1 + 0.2 * Math.log(4)) / (1 + 0.1 * Math.log(4)),
  ],
  ["by the paper's weight if the config has only one", { mscale: 2 }, 1 + 0.1 * Math.log(4)],
  ["by the config's own factor", { attention_factor: 3, mscale: 2, mscale_all_dim: 1 }, 3],
])("yarn scales queries and keys up %s", async (_, fields, expected) => {
  const rope_scaling = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64, ...fields };
  expect((await turnsPerPosition({ rope_theta: 10_000, rope_scaling }, [5])).amplitude).toBeCloseTo(
    expected,
    10,
  );
});

it("longrope divides by the short list up to the original context, and by the long list beyond it", async () => {
  const rope_scaling = { type: "longrope", short_factor: [1, 1, 1, 2], long_factor: [1, 2, 4, 8] };
  const config = { max_position_embeddings: 32, original_max_position_embeddings: 8, rope_scaling };
  const { perPosition, amplitude } = await turnsPerPosition(config, [7, 8]);
  const expected = Float32Array.of(1, 0.1, 0.01, 0.0005, 1, 0.05, 0.0025, 0.000125);
  expect(perPosition).toBeAllclose(expected, close);
  expect(amplitude).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(8)), 10);
});

it.each<[string, JsonObject]>([
  ["longrope", { type: "longrope", short_factor: [1, 1, 1, 2], long_factor: [1, 2, 4, 8] }],
  ["dynamic", { type: "dynamic", factor: 2 }],
])(
  "with %s, tokens turn by the length of the whole prompt that they are a part of",
  async (_, rope_scaling) => {
    const config = { max_position_embeddings: 8, rope_scaling };
    const early = await turnsPerPosition(config, [5, 5], [12, 0]);
    const late = await turnsPerPosition(config, [11, 5]);
    expect(early.perPosition).toBeAllclose(late.perPosition, close);
  },
);

it("dynamic scaling raises theta with the length of each sequence", async () => {
  const config = { max_position_embeddings: 8, rope_scaling: { type: "dynamic", factor: 2 } };
  const { perPosition } = await turnsPerPosition(config, [3, 11]);
  const expected = Float32Array.of(1, 0.1, 0.01, 0.001, 1, 0.07937005259840997, 0.006299605249474365, 0.0005);
  expect(perPosition).toBeAllclose(expected, close);
});

it("refuses a factor so small that quotients are infinite", async () => {
  const rope_scaling = { rope_type: "linear", factor: 1e-309 };
  await expect(turnsPerPosition({ rope_scaling }, [5])).rejects.toMatchObject({ code: "RR_CONFIG" });
});
