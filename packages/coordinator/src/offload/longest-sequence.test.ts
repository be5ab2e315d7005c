import { openExport } from "@ringrank/model";
import { uniteSizes } from "@ringrank/policy";
import { expect, it } from "vitest";
import { assembledExport } from "../../../../test/support/onnx-exports.js";
import { longestSequence } from "./longest-sequence.js";

// Each has 128 or 132 rows of positions, some of which are before the first position. That one more token fails on a
// rank is tested in test/faults/unknown-context.test.ts.
it.each([
  ["torch/gpt2/dynamo.onnx", 128],
  ["torch/gpt-neo/torchscript.onnx", 128],
  ["torch/gptj/dynamo.onnx", 128],
  ["torch/mpt/dynamo.onnx", 128],
  ["torch/mpt/torchscript.onnx", 128],
  ["torch/opt/torchscript.onnx", 128],
  ["torch/bert/torchscript.onnx", 132],
  ["torch/distilbert/dynamo.onnx", 132],
  ["torch/roformer/torchscript.onnx", 132],
  ["torch/roberta/torchscript.onnx", 131],
  ["torch/mpnet/dynamo.onnx", 130],
  ["torch/bart/torchscript.onnx", 128],
  ["optimum-1.16/opt/decoder_model_merged.onnx", 128],
  ["fused/bert/attention.onnx", 132],
])("%s without a config takes as many tokens as it has rows of positions", (file, most) => {
  const path = assembledExport(file);
  expect(longestSequence(uniteSizes(openExport(path).graph))).toBe(most);
});

it.each(["torch/llama/dynamo.onnx", "torch/bloom/torchscript.onnx", "torch/deberta/torchscript.onnx"])(
  "%s, which computes its positions, has no visible limit",
  (file) => {
    expect(longestSequence(uniteSizes(openExport(assembledExport(file)).graph))).toBeUndefined();
  },
);
