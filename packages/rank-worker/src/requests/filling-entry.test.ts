import type { Entry } from "@ringrank/policy";
import { Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import type { CompiledEntry } from "../execution/compiled-entry.js";
import { filledInputs, fillingEntry } from "./filling-entry.js";

const any = (name: string) => ({ scale: 1, symbols: [name] });

/** A decoder with a cache of its own, and one for encoded rows. */
const decode: Entry = {
  inputs: [
    { name: "positions", type: "int64", dims: [any("batch"), any("past")] },
    { name: "past", type: "float32", dims: [any("batch"), any("past")] },
    { name: "source_positions", type: "int64", dims: [any("batch"), any("source")] },
    { name: "encoded", type: "float32", dims: [any("batch"), any("source")] },
  ],
  outputs: [],
  steps: [],
  caches: [
    { positions: "positions", states: [{ past: "past", present: "present", axis: 1 }] },
    {
      positions: "source_positions",
      filledBy: "encode",
      states: [{ past: "encoded", present: "cross", axis: 1 }],
    },
  ],
};

describe("the entry that fills a decoder's caches", () => {
  const [encode, other] = [{}, {}] as [CompiledEntry, CompiledEntry];

  test("is the one that the caches name", () => {
    const entries = new Map([
      ["other", other],
      ["encode", encode],
    ]);
    expect(fillingEntry(decode, entries)).toBe(encode);
  });

  test("is undefined if the decoder fills its caches itself", () => {
    expect(
      fillingEntry({ ...decode, caches: decode.caches.slice(0, 1) }, new Map([["other", other]])),
    ).toBeUndefined();
  });

  test("must be in the program", () => {
    const { message } = expectCode("RR_POLICY", () => fillingEntry(decode, new Map([["other", other]])));
    expect(message).toContain("got encode; it has other");
  });

  test("must be the same for all caches", () => {
    const [own, cross] = decode.caches as [Entry["caches"][number], Entry["caches"][number]];
    const two = { ...decode, caches: [cross, own, { ...cross, filledBy: "other" }] };
    const entries = new Map([
      ["encode", encode],
      ["other", other],
    ]);
    expectCode("RR_POLICY", () => fillingEntry(two, entries));
  });
});

test("rows of a source are at their own indices, padding is at -1, and the encoded rows are the cache", () => {
  const mask = new Tensor("int64", [1n, 1n, 1n, 0n, 1n, 1n], [2, 3]);
  const cross = new Tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  const inputs = filledInputs(decode, new Map([["cross", cross]]), mask);
  expect([...inputs.keys()]).toEqual(["source_positions", "encoded"]);
  expect(inputs.get("source_positions")!.dims).toEqual([2, 3]);
  expect([...(inputs.get("source_positions")!.data as BigInt64Array)]).toEqual([0n, 1n, 2n, -1n, 1n, 2n]);
  expect(inputs.get("encoded")).toBe(cross);
});

test("a cache without an input for positions, or of which a rank has no heads, gets the inputs that exist", () => {
  const mask = new Tensor("int64", [1n, 1n], [1, 2]);
  const headless = { ...decode, inputs: decode.inputs.filter(({ name }) => name !== "source_positions") };
  expect([...filledInputs(headless, new Map(), mask)]).toEqual([]);
});
