import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { lastRows } from "./run-inputs.js";

const mask = (...rows: readonly number[][]) =>
  new Tensor("int64", BigInt64Array.from(rows.flat().map(BigInt)), [rows.length, rows[0]!.length]);

test("logits are of each sequence's last token, whichever side is padded", () => {
  expect(lastRows(mask([1, 1, 0], [0, 1, 1], [1, 0, 0]), 3, 3)).toEqual([1, 5, 6]);
});

test("a sequence that is padding throughout has its own first row, not one of another", () => {
  expect(lastRows(mask([1, 1, 1], [0, 0, 0]), 2, 3)).toEqual([2, 3]);
});
