import { runsRelaxedSimd, setKernelFlags } from "@ringrank/webassembly";
import { expect, it } from "vitest";
import { ownProducts } from "./own-products.js";

it.runIf(!runsRelaxedSimd())(
  "without the engine's flag, ranks only multiply by float32 and by quantized experts themselves",
  () => {
    expect(ownProducts(1)).toEqual(["experts", "float32"]);
  },
);

it("with relaxed SIMD, ranks of one thread multiply by all matrices that they keep", () => {
  setKernelFlags();
  expect(ownProducts(1)).toEqual(["experts", "float32", "quantized"]);
});

it("ranks of several threads leave products to ONNX Runtime, except those with quantized experts", () => {
  expect(ownProducts(2)).toEqual(["experts"]);
});
