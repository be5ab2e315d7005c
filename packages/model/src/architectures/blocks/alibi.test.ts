import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { GraphBuilder } from "../../graph/index.js";
import { encodeOnnx } from "../../onnx/index.js";
import { alibiSlopes, bfloat16Alibi } from "./alibi.js";

it("halves the slope from head to head if there are eight heads", () => {
  expect(alibiSlopes(8)).toEqual([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]);
});

it("continues with every other slope of the next power of two if the number of heads is not a power of two", () => {
  const sixteen = alibiSlopes(16);
  expect(alibiSlopes(12)).toEqual([...alibiSlopes(8), sixteen[0], sixteen[2], sixteen[4], sixteen[6]]);
});

it("ends with the slope 2^(−m) if the series is stretched to m", () => {
  expect(alibiSlopes(4, 2)).toEqual([2 ** -0.5, 2 ** -1, 2 ** -1.5, 2 ** -2]);
});

it("rounds slopes, positions and their products to bfloat16 for models that were trained that way", async () => {
  const heads = 12;
  // Above 256, bfloat16 cannot represent every position.
  const positions = [0, 1, 100, 257, 1023];
  const g = new GraphBuilder();
  const keyPositions = g.input("positions", "int64", [1, positions.length]);
  g.output("bias", bfloat16Alibi(g, { keyPositions }, heads), "float32", [1, heads, 1, positions.length]);
  const session = await ort.InferenceSession.create(encodeOnnx(g.build()));
  const feed = new ort.Tensor("int64", BigInt64Array.from(positions, BigInt), [1, positions.length]);
  const { bias } = await session.run({ positions: feed });
  await session.release();
  const expected = alibiSlopes(heads).flatMap((slope) =>
    positions.map((position) => toBfloat16(toBfloat16(slope) * toBfloat16(position))),
  );
  expect([...(bias!.data as Float32Array)]).toEqual(expected);
});

/** Rounds to 8 significant bits, halves to even. */
function toBfloat16(x: number): number {
  if (x === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(x)) - 7);
  const scaled = x / unit;
  const lower = Math.floor(scaled);
  const half = scaled - lower;
  const up = half > 0.5 || (half === 0.5 && lower % 2 === 1);
  return (lower + (up ? 1 : 0)) * unit;
}
