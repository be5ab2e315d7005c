import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const moe = "com.microsoft::MoE";
const qmoe = "com.microsoft::QMoE";

/** Ten rows of 64 elements, and three experts with an inner width of 32. */
const x = "float32[2,5,64]";
const router = "float32[10,3]";
const up = "float32[3,32,64]";
const down = "float32[3,64,32]";
const gated = { activation_type: "swiglu", swiglu_fusion: 1 };

/** The same in 4 bits, with a scale per row. */
const quantized = [x, router, "uint8[3,32,32]", "float32[3,32]", "", "uint8[3,64,16]", "float32[3,64]"];
const inBlocks = quantized.with(3, "float32[3,32,4]").with(6, "float32[3,64,2]");

describe("the output has the shape of the rows", () => {
  test.each<[string, string, readonly string[], NonNullable<OperatorCase["attributes"]>, string]>([
    ["for a batch", moe, [x, router, up, "float32[3,32]", down, "float32[3,64]"], { k: 3 }, x],
    ["of none", moe, ["float32[10,64]", router, up, "", down], {}, "float32[10,64]"],
    ["with gates", moe, [x, router, "float32[3,64,64]", "", down], gated, x],
    ["with quantized weights", qmoe, quantized, {}, x],
    ["with weights quantized in blocks", qmoe, inBlocks, { block_size: 16 }, x],
    ["with zero points per row", qmoe, [...quantized, "", "", "", "", "uint8[3,16]", "uint8[3,32]"], {}, x],
    [
      "with zero points per block",
      qmoe,
      [...inBlocks, "", "", "", "", "uint8[3,32,2]", "uint8[3,64,1]"],
      { block_size: 16 },
      x,
    ],
  ])("%s", (_, operator, inputs, attributes, expected) => {
    expect(evaluateCase({ operator, inputs, attributes }).gives).toEqual([expected]);
  });
});

describe("experts are refused whose", () => {
  test.each<[string, string, readonly string[], NonNullable<OperatorCase["attributes"]>, string]>([
    ["rows are a vector", moe, ["float32[64]", router, up, "", down], {}, "input 0 to be rows"],
    ["router is for other rows", moe, [x, "float32[9,3]", up, "", down], {}, "input 1 of shape [10,3]"],
    [
      "up has another width",
      moe,
      [x, router, "float32[3,32,60]", "", down],
      {},
      "input 2 of shape [3,32,64]",
    ],
    [
      "down is for other experts",
      moe,
      [x, router, up, "", "float32[4,64,32]"],
      {},
      "input 4 of shape [3,64,32]",
    ],
    [
      "bias has the length of up's rows",
      moe,
      [x, router, up, "", down, "float32[3,32]"],
      {},
      "input 5 of shape [3,64]",
    ],
    [
      "k is larger than their number",
      moe,
      [x, router, up, "", down],
      { k: 4 },
      "number of experts, 3, not 4",
    ],
    ["gates are separate", moe, [x, router, up, "", down, "", up], {}, "other forms have no kernel for CPUs"],
    [
      "gates are not interleaved",
      moe,
      [x, router, "float32[3,64,64]", "", down],
      { ...gated, swiglu_fusion: 2 },
      "(swiglu_fusion = 1)",
    ],
    ["weights are 4-bit floats", qmoe, quantized, { quant_type: "fp4" }, "not fp4"],
    ["bits are not supported by any kernel", qmoe, quantized, { expert_weight_bits: 3 }, "2, 4 or 8, not 3"],
    ["blocks do not fill a row", qmoe, inBlocks, { block_size: 48 }, "of whole blocks of 48"],
    ["scales lack a row", qmoe, quantized.with(6, "float32[3,63]"), {}, "input 6 of shape [3,64]"],
    ["scales are per row, with blocks", qmoe, quantized, { block_size: 16 }, "input 3 of shape [3,32,4]"],
    [
      "zero points are not packed",
      qmoe,
      [...quantized, "", "", "", "", "uint8[3,32]"],
      {},
      "input 11 of shape [3,16]",
    ],
  ])("%s", (_, operator, inputs, attributes, expected) => {
    const { message } = expectCode("RR_GRAPH", () => evaluateCase({ operator, inputs, attributes }));
    expect(message).toContain(`node 0 (${operator}) with inputs ${inputs[0]}`);
    expect(message).toContain(expected);
  });
});
