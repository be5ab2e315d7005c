import { expect, test } from "vitest";
import { expectCode } from "../../../../../test/support/coded-error.js";
import { evaluateCase, type OperatorCase } from "../testing/operator-case.js";

const cases: readonly OperatorCase[] = [
  {
    operator: "Conv",
    says: "shrinks by the kernel",
    inputs: ["float32[2,3,10]", "float32[8,3,3]"],
    gives: ["float32[2,8,8]"],
  },
  {
    operator: "Conv",
    says: "pads, strides and dilates",
    inputs: ["float32[2,4,10,12]", "float32[8,2,3,3]"],
    attributes: { group: 2, pads: [1, 1, 1, 1], strides: [2, 1], dilations: [1, 2] },
    gives: ["float32[2,8,5,10]"],
  },
  {
    operator: "Conv",
    says: "keeps ⌈size / stride⌉ with SAME_UPPER",
    inputs: ["float32[1,3,11]", "float32[8,3,3]"],
    attributes: { auto_pad: "SAME_UPPER", strides: [2] },
    gives: ["float32[1,8,6]"],
  },
  {
    operator: "ConvTranspose",
    says: "grows by the stride, the kernel and the output's padding",
    inputs: ["float32[2,4,5]", "float32[4,3,3]"],
    attributes: { group: 2, strides: [2], pads: [1, 0], output_padding: [1] },
    gives: ["float32[2,6,11]"],
  },
  {
    operator: "ConvTranspose",
    says: "grows by the stride with SAME_UPPER",
    inputs: ["float32[1,2,5]", "float32[2,3,3]"],
    attributes: { strides: [2], auto_pad: "SAME_UPPER" },
    gives: ["float32[1,3,10]"],
  },
  {
    operator: "ConvTranspose",
    says: "ends with the last window with SAME_UPPER if that is smaller than a stride, as in ONNX Runtime",
    inputs: ["float32[1,2,5]", "float32[2,3,1]"],
    attributes: { strides: [2], auto_pad: "SAME_UPPER" },
    gives: ["float32[1,3,9]"],
  },
  {
    operator: "MaxPool",
    says: "counts a window that extends beyond the end with ceil_mode, and outputs indices",
    inputs: ["float32[2,4,8,6]"],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    gives: ["float32[2,4,4,3]", "int64[2,4,4,3]"],
  },
  {
    operator: "MaxPool",
    says: "keeps ⌈size / stride⌉ with SAME_LOWER",
    inputs: ["float32[1,3,11]"],
    attributes: { kernel_shape: [3], strides: [2], auto_pad: "SAME_LOWER" },
    gives: ["float32[1,3,6]"],
  },
  {
    operator: "AveragePool",
    says: "has fewer positions with SAME_UPPER if its window is dilated, as in ONNX Runtime",
    inputs: ["float32[1,3,8]"],
    attributes: { kernel_shape: [3], strides: [2], dilations: [2], auto_pad: "SAME_UPPER" },
    gives: ["float32[1,3,3]"],
  },
  {
    operator: "GlobalAveragePool",
    says: "reduces every spatial axis to 1",
    inputs: ["float32[2,4,8,6]"],
    gives: ["float32[2,4,1,1]"],
  },
  {
    operator: "BatchNormalization",
    says: "keeps the shape",
    inputs: ["float32[2,4,8]", "float32[4]", "float32[4]", "float32[4]", "float32[4]"],
    gives: ["float32[2,4,8]"],
  },
];

test.each(cases)("$operator: $says", (spec) => {
  const { gives, contents } = evaluateCase(spec, spec.gives.length);
  expect(gives).toEqual(spec.gives);
  if (spec.contents !== undefined) expect(contents).toEqual(spec.contents);
});

test.each([
  ["Conv", "channels that its kernel has not", ["float32[1,3,8]", "float32[4,2,3]"], 1],
  ["Conv", "outputs that its groups do not divide", ["float32[1,4,8]", "float32[3,2,3]"], 2],
  ["ConvTranspose", "channels that its kernel has not", ["float32[1,3,8]", "float32[2,4,3]"], 1],
  ["ConvTranspose", "channels that its groups do not divide", ["float32[1,3,8]", "float32[3,2,3]"], 2],
])("%s with %s is refused", (operator, _, inputs, group) => {
  expectCode("RR_GRAPH", () => evaluateCase({ operator, inputs, attributes: { group } }));
});

test.each([
  ["channels that its groups do not divide", ["float32[1,5,8]", "float32[5]", "float32[5]"]],
  ["no shift", ["float32[1,4,8]", "float32[4]"]],
  ["a scalar scale", ["float32[1,4,8]", "float32[]", "float32[4]"]],
])("GroupNormalization with %s is refused", (_, inputs) => {
  const attributes = { num_groups: 2 };
  expectCode("RR_GRAPH", () => evaluateCase({ operator: "GroupNormalization", inputs, attributes }));
});
