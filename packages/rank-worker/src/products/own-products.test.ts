import { setFlagsFromString } from "node:v8";
import { kernelFlags, runsRelaxedSimd } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { ownProducts } from "./own-products.js";

it.runIf(!runsRelaxedSimd())(
  "ranks multiply by no more than float32 and quantized experts if the engine was not given its flag",
  () => {
    expect(ownProducts(1)).toEqual(["experts", "float32"]);
  },
);

it("ranks of one thread multiply by all that they keep where the engine runs relaxed SIMD", () => {
  for (const flag of kernelFlags) setFlagsFromString(flag);
  expect(ownProducts(1)).toEqual(["experts", "float32", "quantized"]);
});

it("ranks of several threads leave products to ONNX Runtime, except those with quantized experts", () => {
  expect(ownProducts(2)).toEqual(["experts"]);
});
