import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const product = "com.microsoft::MatMulNBits";
const inOneRow = "com.microsoft::MatMulBnb4";
const lookup = "com.microsoft::GatherBlockQuantized";

/** Three blocks per row, the last one partial. */
const [K, N, bits, size] = [80, 6, 4, 32];
const x = `float32[2,5,${K}]`;
const values = "uint8[6,3,16]";
const attributes = { K, N, bits, block_size: size };

const table = "uint8[10,24]";
const ids = "int64[2,5]";
const ofTable = { bits: 4, block_size: 32, gather_axis: 0, quantize_axis: 1 };

describe("well-formed", () => {
  test.each<[string, string, readonly string[], OperatorCase["attributes"], string]>([
    ["a product", product, [x, values, "float32[6,3]"], attributes, "float32[2,5,6]"],
    ["with axes joined", product, [x, values, "float32[18]", "uint8[12]"], attributes, "float32[2,5,6]"],
    [
      "with packed zero points",
      product,
      [x, values, "float32[6,3]", "uint8[6,2]"],
      attributes,
      "float32[2,5,6]",
    ],
    [
      "with floating-point ones",
      product,
      [x, values, "float32[6,3]", "float32[6,3]"],
      attributes,
      "float32[2,5,6]",
    ],
    ["with an order", product, [x, values, "float32[6,3]", "", "int32[96]"], attributes, "float32[2,5,6]"],
    ["with a bias", product, [x, values, "float32[6,3]", "", "", "float32[6]"], attributes, "float32[2,5,6]"],
    [
      "a product with a flattened matrix",
      inOneRow,
      [x, "uint8[240]", "float32[15]"],
      { K, N, block_size: 32 },
      "float32[2,5,6]",
    ],
    ["a lookup of 4 bits", lookup, [table, ids, "float32[10,2]", "uint8[10,1]"], ofTable, "float32[2,5,48]"],
    [
      "of 8",
      lookup,
      [table, ids, "float16[10,1]", "uint8[10,1]"],
      { ...ofTable, bits: 8 },
      "float16[2,5,24]",
    ],
  ])("%s", (_, operator, inputs, given, expected) => {
    expect(evaluateCase({ operator, inputs, attributes: given! }).gives).toEqual([expected]);
  });
});

/** What is refused, and what the message says in addition to the node, its inputs and its numbers. */
type Malformed = readonly [string, readonly string[], Readonly<Record<string, number>>, string];

function refuses(
  operator: string,
  given: Readonly<Record<string, number>>,
  cases: readonly Malformed[],
): void {
  test.each(cases)("%s", (_, inputs, changed, expected) => {
    const { message } = expectCode("RR_GRAPH", () =>
      evaluateCase({ operator, inputs, attributes: { ...given, ...changed } }),
    );
    expect(message).toContain(`node 0 (${operator}) with inputs ${inputs.filter(Boolean)[0]}`);
    expect(message).toContain(expected);
  });
}

describe("a product is refused whose", () => {
  const scales = "float32[6,3]";
  refuses(product, attributes, [
    [
      "K is not the input's",
      [x, values, scales],
      { K: 96 },
      "the last size of input 0 to be K, for K = 96, N = 6",
    ],
    ["K is 0", ["float32[2,5,0]", values, scales], { K: 0 }, "K and N of at least 1, not K = 0"],
    [
      "N is not the values'",
      [x, values, scales],
      { N: 5 },
      "(values) of shape [5,3,16], for K = 80, N = 5, bits = 4",
    ],
    ["bits are not the values'", [x, values, scales], { bits: 8 }, "(values) of shape [6,3,32]"],
    [
      "bits are not supported by any kernel",
      [x, values, scales],
      { bits: 3 },
      "bits of 2, 4 or 8, not bits = 3",
    ],
    ["blocks have another size", [x, values, scales], { block_size: 64 }, "(values) of shape [6,2,32]"],
    ["block size is not a power of 2", [x, values, scales], { block_size: 48 }, "a block_size of 16, 32, 64"],
    ["block size is negative", [x, values, scales], { block_size: -32 }, "a block_size of 16, 32, 64"],
    ["values lack a block", [x, "uint8[6,2,16]", scales], {}, "(values) of shape [6,3,16]"],
    ["values are a matrix", [x, "uint8[6,48]", scales], {}, "(values) of shape [6,3,16]"],
    ["values are not uint8", [x, "int8[6,3,16]", scales], {}, "(values) of uint8"],
    ["scales lack a block", [x, values, "float32[6,2]"], {}, "(scales) of shape [6,3] or [18]"],
    ["scales have another type", [x, values, "float16[6,3]"], {}, "(scales) of float32"],
    [
      "zero points are not packed",
      [x, values, scales, "uint8[6,3]"],
      {},
      "(zero points) of shape [6,2] or [12]",
    ],
    [
      "floating-point zero points lack a block",
      [x, values, scales, "float32[6,2]"],
      {},
      "(zero points) of shape [6,3] or [18]",
    ],
    ["zero points have a third type", [x, values, scales, "float16[6,3]"], {}, "(zero points) of float32"],
    [
      "order does not have the length K",
      [x, values, scales, "", "int32[81]"],
      {},
      "(order) of shape [80] or [96]",
    ],
    ["bias does not have the length N", [x, values, scales, "", "", "float32[7]"], {}, "(bias) of shape [6]"],
  ]);
});

describe("a product with a flattened matrix is refused whose", () => {
  const [row, scales] = ["uint8[240]", "float32[15]"];
  refuses(inOneRow, { K, N, block_size: 32 }, [
    [
      "K is not the input's",
      [x, row, scales],
      { K: 96 },
      "the last size of input 0 to be K, for K = 96, N = 6",
    ],
    ["N is 0", [x, row, scales], { N: 0 }, "K and N of at least 1, not K = 80, N = 0"],
    ["matrix is not transposed", [x, row, scales], { transB: 0 }, "(transB = 1)"],
    ["values lack a byte", [x, "uint8[239]", scales], {}, "(values) of shape [240]"],
    ["values have an axis per row", [x, "uint8[6,40]", scales], {}, "(values) of shape [240]"],
    ["values are not uint8", [x, "int8[240]", scales], {}, "(values) of uint8"],
    ["scales lack a block", [x, row, "float32[14]"], {}, "(scales) of shape [15]"],
    ["scales have another type", [x, row, "float16[15]"], {}, "(scales) of float32"],
  ]);
});

describe("a lookup is refused whose", () => {
  const scales = "float32[10,2]";
  refuses(lookup, ofTable, [
    ["scales lack a block", [table, ids, "float32[10,1]"], {}, "(scales) of shape [10,2], for bits = 4"],
    ["scales lack a row", [table, ids, "float32[9,2]"], {}, "(scales) of shape [10,2]"],
    [
      "scales are for another number of bits",
      [table, ids, scales],
      { bits: 8 },
      "(scales) of shape [10,1], for bits = 8",
    ],
    ["blocks have another size", [table, ids, scales], { block_size: 16 }, "(scales) of shape [10,3]"],
    [
      "bits are not supported by any kernel",
      [table, ids, scales],
      { bits: 5 },
      "bits of 2, 4 or 8, not bits = 5",
    ],
    ["block size is 0", [table, ids, scales], { block_size: 0 }, "a block_size of 16, 32, 64"],
    ["zero points are not packed", [table, ids, scales, "uint8[10,2]"], {}, "(zero points) of shape [10,1]"],
    ["zero points are not uint8", [table, ids, scales, "int8[10,1]"], {}, "(zero points) of uint8"],
    ["data are not uint8", ["float32[10,24]", ids, scales], {}, "(data) of uint8"],
    ["axis is not the first", [table, ids, scales], { gather_axis: 1 }, "along the last, not 1 and 1"],
    ["blocks are not along the last axis", [table, ids, scales], { quantize_axis: 0 }, "not 0 and 0"],
    ["axis is out of range", [table, ids, scales], { quantize_axis: 2 }, "an axis from -2 to 1"],
  ]);
});
