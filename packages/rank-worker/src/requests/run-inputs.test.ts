import type { Entry, LocalValue } from "@ringrank/policy";
import { Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { lastRows, runInputs } from "./run-inputs.js";

const integers = (...rows: readonly number[][]) =>
  new Tensor("int64", BigInt64Array.from(rows.flat().map(BigInt)), [rows.length, rows[0]!.length]);

/** An input with symbolic and fixed sizes. */
function input(name: string, type: "int64" | "float32", ...dims: readonly (string | number)[]): LocalValue {
  const products = dims.map((dim) =>
    typeof dim === "string" ? { scale: 1, symbols: [dim] } : { scale: dim, symbols: [] },
  );
  return { name, type, dims: products };
}

const ids = input("input_ids", "int64", "batch", "sequence");

function entryOf(inputs: readonly LocalValue[], caches: Entry["caches"] = []): Entry {
  return { inputs, outputs: [], steps: [], caches };
}

test("logits are for each sequence's last token, whichever side is padded", () => {
  expect(lastRows(integers([1, 1, 0], [0, 1, 1], [1, 0, 0]), 3, 3)).toEqual([1, 5, 6]);
});

test("a sequence of only padding has its own first row, not that of another", () => {
  expect(lastRows(integers([1, 1, 1], [0, 0, 0]), 2, 3)).toEqual([2, 3]);
});

describe("an omitted input", () => {
  /** Its value for two sequences of three tokens. */
  const filled = (left: LocalValue, logits: "all" | "last" = "all") => {
    const given = new Map([["input_ids", integers([5, 6, 7], [8, 9, 5])]]);
    const { dims, data } = runInputs(entryOf([ids, left]), given, logits).get(left.name)!;
    return { dims, numbers: Array.from(data as ArrayLike<unknown>, Number) };
  };

  test("is all ones if it is a mask", () => {
    const mask = input("attention_mask", "int64", "batch", "sequence");
    expect(filled(mask)).toEqual({ dims: [2, 3], numbers: [1, 1, 1, 1, 1, 1] });
  });

  test("counts from 0 in each sequence if it is positions", () => {
    const positions = input("position_ids", "int64", "batch", "sequence");
    expect(filled(positions)).toEqual({ dims: [2, 3], numbers: [0, 1, 2, 0, 1, 2] });
  });

  test.each([
    ["all", [0, 1, 2, 3, 4, 5]],
    ["last", [2, 5]],
  ] as const)("selects the logits that the caller wants (%s) if it is rows", (logits, numbers) => {
    const rows = input("logit_rows", "int64", "rows");
    expect(filled(rows, logits)).toEqual({ dims: [numbers.length], numbers });
  });

  test("is zeros otherwise, such as token types", () => {
    const types = input("token_type_ids", "int64", "batch", "sequence");
    expect(filled(types)).toEqual({ dims: [2, 3], numbers: [0, 0, 0, 0, 0, 0] });
  });

  test("is refused if nothing determines its size", () => {
    expectCode("RR_SHAPE", () => filled(input("image", "float32", "pixels")));
  });
});

describe("a cache", () => {
  const positions = input("positions", "int64", "batch", "past");
  const past = input("past", "float32", "batch", 2, "past", 4);
  const caches: Entry["caches"] = [
    { positions: "positions", states: [{ past: "past", present: "present", axis: 2 }] },
  ];
  const entry = entryOf([ids, positions, past], caches);

  // A graph may have no positions, and a rank no heads.
  test.each([[[positions, past]], [[positions]], [[past]]])(
    "has no rows if it is omitted (case %#)",
    (had) => {
      const inputs = runInputs(
        entryOf([ids, ...had], caches),
        new Map([["input_ids", integers([5, 6])]]),
        "all",
      );
      const dims = { positions: [1, 0], past: [1, 2, 0, 4] };
      for (const { name } of had) expect(inputs.get(name)!.dims).toEqual(dims[name as keyof typeof dims]);
    },
  );

  test("has as many rows as the given part of it", () => {
    const given = new Map<string, Tensor>([
      ["input_ids", integers([5, 6])],
      ["past", new Tensor("float32", new Float32Array(24), [1, 2, 3, 4])],
    ]);
    expect(runInputs(entry, given, "all").get("positions")!.dims).toEqual([1, 3]);
    const others = new Map([
      ["input_ids", integers([5, 6])],
      ["positions", integers([0, 1, 2])],
    ]);
    expect(runInputs(entry, others, "all").get("past")!.dims).toEqual([1, 2, 3, 4]);
  });
});

test("the caller's inputs are not changed", () => {
  const given = new Map([["input_ids", integers([5, 6])]]);
  const inputs = runInputs(
    entryOf([ids, input("attention_mask", "int64", "batch", "sequence")]),
    given,
    "all",
  );
  expect(inputs.get("input_ids")).toBe(given.get("input_ids"));
  expect([...given.keys()]).toEqual(["input_ids"]);
});

test("a graph that reads source and target in one part gets all-ones masks for both", () => {
  const inputs = ["input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask"].map((name) =>
    input(name, "int64", "batch", name.startsWith("decoder") ? "target" : "source"),
  );
  const given = new Map([
    ["input_ids", integers([5, 6, 7])],
    ["decoder_input_ids", integers([5, 6])],
  ]);
  const filled = runInputs(entryOf(inputs), given, "all");
  expect([...filled.get("attention_mask")!.data]).toEqual([1n, 1n, 1n]);
  expect([...filled.get("decoder_attention_mask")!.data]).toEqual([1n, 1n]);
});
