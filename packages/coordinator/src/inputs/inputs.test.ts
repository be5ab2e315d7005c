import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { ModelFacts } from "../model-facts.js";
import type { Tensor } from "../tensor.js";
import { checkInputs, type InputValue } from "./inputs.js";

const facts: ModelFacts = {
  inputs: [
    { name: "input_ids", type: "int64", dims: ["batch", "sequence"] },
    { name: "attention_mask", type: "int64", dims: ["batch", "sequence"] },
    { name: "position_ids", type: "int64", dims: ["batch", "sequence"] },
    { name: "token_type_ids", type: "int64", dims: ["batch", "sequence"] },
    { name: "scale", type: "float32", dims: ["batch", 1] },
  ],
  lookedUp: { input_ids: 10, token_type_ids: 2 },
  outputs: ["logits"],
  maxContext: 4,
  vocabSize: 10,
  generates: true,
  cacheLimits: { rows: Number.POSITIVE_INFINITY, recurrent: false, dependsOnMore: false },
  eosIds: [],
  forcedEosIds: [],
  generationDefaults: {},
};
const endless: InputValue[] = [];
endless.push(endless as InputValue);
const good: Record<string, InputValue> = { input_ids: [[1, 2, 3]], scale: [[0.5]] };

describe("inputs of run", () => {
  it("may be nested arrays", () => {
    expect(checkInputs(good, facts)).toEqual({
      input_ids: { type: "int64", dims: [1, 3], data: BigInt64Array.of(1n, 2n, 3n) },
      scale: { type: "float32", dims: [1, 1], data: Float32Array.of(0.5) },
    });
  });

  it("may be any numbers in a mask of floats, which is added to attention weights", () => {
    const inputs = [{ name: "attention_mask", type: "float32", dims: ["batch", 2] }] as const;
    const { attention_mask } = checkInputs({ attention_mask: [[0, -1e4]] }, { ...facts, inputs });
    expect([...attention_mask!.data]).toEqual([0, -1e4]);
  });

  it("may be bigints and booleans, in nested arrays", () => {
    const inputs = { ...good, input_ids: [[1n, 2n, 3n]], attention_mask: [[true, true, false]] };
    const { input_ids, attention_mask } = checkInputs(inputs, facts);
    expect([...input_ids!.data, ...attention_mask!.data]).toEqual([1n, 2n, 3n, 1n, 1n, 0n]);
  });

  it("may be omitted if they are not needed", () => {
    expect(Object.keys(checkInputs({ input_ids: [[1]] }, facts, ["input_ids"]))).toEqual(["input_ids"]);
  });

  it("may be tensors, which are copied", () => {
    const ids: Tensor = { type: "int64", dims: [1, 2], data: BigInt64Array.of(4n, 5n) };
    const { input_ids } = checkInputs({ ...good, input_ids: ids }, facts);
    ids.data[0] = 9n;
    expect(input_ids).toEqual({ type: "int64", dims: [1, 2], data: BigInt64Array.of(4n, 5n) });
  });

  it("may be tensors in a Buffer, which are copied, too", () => {
    const pixels: ModelFacts = { ...facts, inputs: [{ name: "pixels", type: "uint8", dims: [2] }] };
    const data = Buffer.from([4, 5]);
    const checked = checkInputs({ pixels: { type: "uint8", dims: [2], data } }, pixels);
    data[0] = 9;
    expect([...checked.pixels!.data]).toEqual([4, 5]);
  });

  it("may be tensors from another realm, such as a test runner's", () => {
    const data = runInNewContext("BigInt64Array.of(4n, 5n)") as BigInt64Array;
    const { input_ids } = checkInputs({ ...good, input_ids: { type: "int64", dims: [1, 2], data } }, facts);
    expect([...input_ids!.data]).toEqual([4n, 5n]);
  });

  it("must be 0 or 1 in each byte of a boolean tensor", () => {
    const gated: ModelFacts = { ...facts, inputs: [{ name: "gate", type: "bool", dims: [2] }] };
    const gate = (...data: number[]) =>
      ({ gate: { type: "bool", dims: [2], data: Uint8Array.from(data) } }) as const;
    expect(checkInputs(gate(0, 1), gated)).toEqual(gate(0, 1));
    expect(() => checkInputs(gate(0, 2), gated)).toThrow(
      expect.objectContaining({ code: "RR_TYPE", message: expect.stringContaining("got 2") }),
    );
  });

  it("may be any ids of the vocabulary, as many as the context has", () => {
    const { input_ids } = checkInputs({ ...good, input_ids: [[0, 9, 0, 9]] }, facts);
    expect([...input_ids!.data]).toEqual([0n, 9n, 0n, 9n]);
  });

  it("may be any ids, and any number of them, if the model has no limits", () => {
    const unlimited = { ...facts, maxContext: undefined, vocabSize: undefined };
    const { input_ids } = checkInputs({ ...good, input_ids: [[0, 1, 2, 3, 1e6]] }, unlimited);
    expect(input_ids!.dims).toEqual([1, 5]);
  });

  it("may be positions up to the context's last, and any row of a table", () => {
    const inputs = { ...good, position_ids: [[0, 1, 3]], token_type_ids: [[0, 1, 1]] };
    const { position_ids, token_type_ids } = checkInputs(inputs, facts);
    expect([...position_ids!.data, ...token_type_ids!.data]).toEqual([0n, 1n, 3n, 0n, 1n, 1n]);
  });

  it.each([
    ["RR_TOKEN_ID", { input_ids: [[7]], decoder_input_ids: [[9]] }],
    ["RR_TOKEN_ID", { input_ids: [[6]], decoder_input_ids: [[10]] }],
    ["RR_CONTEXT", { input_ids: [[1, 1, 1, 1, 1, 1]], decoder_input_ids: [[1]] }],
    ["RR_CONTEXT", { input_ids: [[1]], decoder_input_ids: [[1, 1, 1, 1, 1]] }],
  ] as const)("of an encoder and a decoder have separate limits: %s for %j", (code, inputs) => {
    const names = ["input_ids", "decoder_input_ids"];
    const encoder = {
      inputs: ["input_ids"],
      outputs: [],
      decoderPromptIds: [1],
      maxContext: 5,
      vocabSize: 7,
    };
    const both: ModelFacts = {
      ...facts,
      inputs: names.map((name) => ({ name, type: "int64", dims: ["batch", name] })),
      lookedUp: {},
      encoder,
    };
    expect(() =>
      checkInputs({ input_ids: [[6, 1, 1, 1, 1]], decoder_input_ids: [[9, 1, 1, 1]] }, both),
    ).not.toThrow();
    expect(() => checkInputs(inputs, both)).toThrow(expect.objectContaining({ code }));
  });

  it("are refused with the expected shape, and the sizes that it shares with others", () => {
    expect(() => checkInputs({ ...good, attention_mask: [[1, 1]] }, facts)).toThrow(
      "input attention_mask: expected [batch=1, sequence=3], got [1, 2]",
    );
    expect(() => checkInputs({ ...good, input_ids: [1, 2] }, facts)).toThrow(
      "input input_ids: expected [batch, sequence], got [2]",
    );
  });

  it.each([[null], [[[1, 2]]], ["input_ids"]])("are refused if they are not an object: %j", (inputs) => {
    expect(() => checkInputs(inputs as never, facts)).toThrow(
      expect.objectContaining({ code: "RR_INPUT", message: expect.stringMatching("an object of inputs") }),
    );
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["RR_INPUT", "a missing input", { scale: [[1]] }],
    ["RR_INPUT", "an unknown input", { ...good, ids: [[1]] }],
    ["RR_INPUT", "a token type that no row is for", { ...good, token_type_ids: [[0, 1, 2]] }],
    ["RR_INPUT", "a negative token type", { ...good, token_type_ids: [[0, 1, -1]] }],
    ["RR_SHAPE", "ragged rows", { ...good, input_ids: [[1, 2], [3]] }],
    ["RR_SHAPE", "a row longer than the first", { input_ids: [[1], [2, 3]], scale: [[1], [1]] }],
    ["RR_SHAPE", "rows of mixed depth", { ...good, input_ids: [[1, [2]]] }],
    ["RR_SHAPE", "a row that is not an array", { input_ids: [[1], null], scale: [[1], [1]] }],
    ["RR_SHAPE", "an array that contains itself", { ...good, input_ids: endless }],
    ["RR_SHAPE", "too few dimensions", { ...good, input_ids: [1, 2] }],
    ["RR_SHAPE", "a wrong fixed size", { ...good, scale: [[1, 2]] }],
    ["RR_INPUT", "a mask with another number than 0 and 1", { ...good, attention_mask: [[1, 1, 2]] }],
    ["RR_SHAPE", "a mask of another length", { ...good, attention_mask: [[1, 1]] }],
    ["RR_SHAPE", "batches that differ", { ...good, scale: [[1], [1]] }],
    ["RR_TYPE", "text", { ...good, input_ids: [["a"]] }],
    ["RR_TYPE", "a fraction as an id", { ...good, input_ids: [[1.5]] }],
    [
      "RR_TYPE",
      "a tensor of another type",
      { ...good, input_ids: { type: "float32", dims: [1, 1], data: Float32Array.of(1) } },
    ],
    [
      "RR_TYPE",
      "a tensor shorter than its shape",
      { ...good, input_ids: { type: "int64", dims: [1, 2], data: BigInt64Array.of(1n) } },
    ],
    [
      "RR_TYPE",
      "a tensor whose shape lacks a size",
      // biome-ignore lint/suspicious/noSparseArray: it is what is refused
      { ...good, input_ids: { type: "int64", dims: [, 2], data: BigInt64Array.of(1n, 2n) } },
    ],
    ["RR_TOKEN_ID", "an id past the vocabulary", { ...good, input_ids: [[10]] }],
    ["RR_TOKEN_ID", "a negative id", { ...good, input_ids: [[-1]] }],
    ["RR_CONTEXT", "more tokens than the context", { ...good, input_ids: [[1, 2, 3, 4, 5]] }],
    ["RR_CONTEXT", "a position past the context", { ...good, position_ids: [[0, 1, 4]] }],
    ["RR_INPUT", "a negative position", { ...good, position_ids: [[-1, 0, 1]] }],
    ["RR_EMPTY_PROMPT", "no tokens", { ...good, input_ids: [[]] }],
  ])("are refused with %s: %s", (code, _, inputs) => {
    expect(() => checkInputs(inputs as Record<string, InputValue>, facts)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it.each<[unknown, string]>([
    [
      { type: "int64", dims: [1, 3], data: BigInt64Array.of(1n, 2n) },
      'got { type: "int64", dims: [1, 3], data: 2 in an object (BigInt64Array) }',
    ],
    [{ dims: "1", data: [1] }, 'got { dims: "1", data: an array of 1 }'],
    [{}, "got an object (Object)"],
    [BigInt64Array.of(1n), "got an object (BigInt64Array)"],
    [[BigInt64Array.of(1n)], "expected numbers, got an object (BigInt64Array)"],
  ])("are refused with what came in place of a tensor: %o", (input_ids, got) => {
    expect(() => checkInputs({ ...good, input_ids } as Record<string, InputValue>, facts)).toThrow(
      expect.objectContaining({ code: "RR_TYPE", message: expect.stringContaining(got) }),
    );
  });

  it("are refused with the names of those that are missing", () => {
    const states = ["a", "b", "c", "d"].map((name) => ({ name, type: "float32", dims: [1] }) as const);
    const many = { ...facts, inputs: [...facts.inputs, ...states] };
    const input_ids = [[1]];
    expect(() => checkInputs({ scale: undefined as never }, facts)).toThrow(
      "expected the inputs input_ids, scale; got none",
    );
    expect(() => checkInputs({ input_ids }, facts)).toThrow("expected the input scale; got only input_ids");
    expect(() => checkInputs({ input_ids }, many)).toThrow(
      "expected the inputs scale, a, b, and 2 more; got only input_ids",
    );
  });
});
