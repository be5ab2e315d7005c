import type { Entry, LocalValue } from "@ringrank/policy";
import { expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { byName, inOrder } from "../tensors/in-order.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { symbol } from "../testing/tiny-program.js";
import { type StepBatch, StepInputs } from "./step-inputs.js";

function entryOf(...names: readonly string[]): Entry {
  const inputs = names.map((name): LocalValue => ({ name, type: "int64", dims: [symbol("any")] }));
  return { inputs, outputs: [], steps: [], caches: [] };
}

/** Two sequences with two new tokens each; one has had three tokens before, the other none. */
const batch: StepBatch = {
  rows: [
    { ids: [5, 6], start: 3 },
    { ids: [7, 8], start: 0 },
  ],
  newTokens: 2,
  logitRows: [1, 3],
};

/** Sizes and elements of an entry's inputs in this step, by name. */
function inputsOf(
  entry: Entry,
  { rows, newTokens, logitRows }: StepBatch,
  cached = new Map<string, Tensor>(),
) {
  const inputs = [...inOrder(entry.inputs, cached)];
  new StepInputs(entry).add(inputs, { rows, newTokens, logitRows });
  const named = [...byName(entry.inputs, inputs)];
  return Object.fromEntries(
    named.map(([name, { dims, data }]) => [name, [dims, Array.from(data as BigInt64Array, Number)]]),
  );
}

test("a step's mask has all new tokens, positions are those in each sequence, and logits are for the given rows", () => {
  const entry = entryOf("input_ids", "attention_mask", "position_ids", "logit_rows");
  expect(inputsOf(entry, batch)).toEqual({
    input_ids: [
      [2, 2],
      [5, 6, 7, 8],
    ],
    attention_mask: [
      [2, 2],
      [1, 1, 1, 1],
    ],
    position_ids: [
      [2, 2],
      [3, 4, 0, 1],
    ],
    logit_rows: [[2], [1, 3]],
  });
});

test("a graph may ask for the lengths of prompts of which a step has a part", () => {
  const [first, second] = batch.rows;
  const rows = [first!, { ...second!, promptLength: 7 }];
  expect(inputsOf(entryOf("prompt_lengths"), { ...batch, rows })).toEqual({ prompt_lengths: [[2], [0, 7]] });
});

test("a decoder's tokens have inputs of their own, next to the source rows in its caches", () => {
  const entry: Entry = {
    ...entryOf("decoder_input_ids", "decoder_attention_mask", "source_positions"),
    caches: [{ positions: "source_positions", filledBy: "encode", states: [] }],
  };
  const cached = new Map([["source_positions", tensor("int64", BigInt64Array.of(0n, 1n), [2, 1])]]);
  expect(inputsOf(entry, batch, cached)).toEqual({
    source_positions: [
      [2, 1],
      [0, 1],
    ],
    decoder_input_ids: [
      [2, 2],
      [5, 6, 7, 8],
    ],
    decoder_attention_mask: [
      [2, 2],
      [1, 1, 1, 1],
    ],
  });
});

test("refuses an input that neither a step nor a cache fills", () => {
  const { message } = expectCode("RR_INPUT", () => inputsOf(entryOf("image"), batch));
  expect(message).toContain('"image"');
});
