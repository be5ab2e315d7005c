import type { Entry } from "@ringrank/policy";
import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { lastRows, runInputs } from "./run-inputs.js";

const mask = (...rows: readonly number[][]) =>
  new Tensor("int64", BigInt64Array.from(rows.flat().map(BigInt)), [rows.length, rows[0]!.length]);

test("logits are of each sequence's last token, whichever side is padded", () => {
  expect(lastRows(mask([1, 1, 0], [0, 1, 1], [1, 0, 0]), 3, 3)).toEqual([1, 5, 6]);
});

test("a sequence that is padding throughout has its own first row, not one of another", () => {
  expect(lastRows(mask([1, 1, 1], [0, 0, 0]), 2, 3)).toEqual([2, 3]);
});

test("a graph that reads a source and its target in one part gets masks of both that see every token", () => {
  const names = ["input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask"];
  const size = (symbol: string) => ({ scale: 1, symbols: [symbol] });
  const inputs = names.map((name) => ({
    name,
    type: "int64" as const,
    dims: [size("batch"), size(name.startsWith("decoder") ? "target" : "source")],
  }));
  const given = new Map([
    ["input_ids", mask([5, 6, 7])],
    ["decoder_input_ids", mask([5, 6])],
  ]);
  const filled = runInputs({ inputs, caches: [] } as Partial<Entry> as Entry, given, "all");
  expect([...filled.get("attention_mask")!.data]).toEqual([1n, 1n, 1n]);
  expect([...filled.get("decoder_attention_mask")!.data]).toEqual([1n, 1n]);
});
