import { describe, expect, test } from "vitest";
import type { RunRequest, StepRow, TensorMessage } from "../protocol.js";
import { type Call, inRanks } from "../testing/in-ranks.js";
import { tinyTranslator, vocabulary } from "../testing/tiny-translator.js";

/** fp32 sums of at most 150 terms of size ~1, in another order. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };

const ids = (seed: number, length: number) =>
  Array.from({ length }, (_, at) => (at * at * 3 + at + seed * 7) % vocabulary);
/** Shorter than a cache's block of rows, longer, and of one token. */
const sources = [ids(1, 5), ids(2, 70), ids(3, 1)];
const targets = [ids(4, 6), ids(5, 6), ids(6, 6)];

function integers(rows: readonly (readonly number[])[]): TensorMessage {
  return {
    type: "int64",
    dims: [rows.length, rows[0]!.length],
    data: BigInt64Array.from(rows.flat(), BigInt),
  };
}

function run(inputs: RunRequest["inputs"]): Call {
  return ["run", { entry: "decode", inputs, outputs: ["logits"], logits: "all" }];
}
const runAlone = (at: number): Call =>
  run({ input_ids: integers([sources[at]!]), decoder_input_ids: integers([targets[at]!]) });

/** The results of each source by itself, unsplit. */
const [unsplit] = await inRanks(
  tinyTranslator(1),
  sources.map((_, at) => runAlone(at)),
);
const reference = unsplit!.results.map(({ outputs }) => outputs.logits!.data as Float32Array);
const expected = (sequence: number, from: number, count: number) =>
  reference[sequence]!.subarray(from * vocabulary, (from + count) * vocabulary);

describe.each([1, 2, 3])("%i ranks", (worldSize) => {
  const programs = tinyTranslator(worldSize);

  test("run encodes, then decodes, ignoring padding of the source as in its mask", async () => {
    const longest = sources[1]!.length;
    const padded = sources.map((source) => [...source, ...ids(9, longest - source.length)]);
    const mask = sources.map((source) =>
      Array.from({ length: longest }, (_, at) => Number(at < source.length)),
    );
    const inputs = {
      input_ids: integers(padded),
      attention_mask: integers(mask),
      decoder_input_ids: integers(targets),
    };
    const [first] = await inRanks(programs, [run(inputs)]);
    const logits = first!.results[0]!.outputs.logits!;
    expect(logits.dims).toEqual([3, 6, vocabulary]);
    expect(logits.data as Float32Array).toBeAllclose(
      reference.flatMap((rows) => [...rows]),
      tolerance,
    );
  });

  test("steps decode from sources that are encoded once, while sequences come, sit out and go", async () => {
    const steps: {
      encode?: number[];
      rows: [sequence: number, from: number, count: number][];
      close?: number[];
    }[] = [
      { encode: [0], rows: [[0, 0, 1]] },
      {
        encode: [1, 2],
        rows: [
          [1, 0, 3],
          [2, 0, 3],
        ],
      },
      {
        rows: [
          [0, 1, 1],
          [2, 3, 1],
        ],
      },
      {
        rows: [
          [0, 2, 2],
          [1, 3, 2],
        ],
      },
      {
        close: [1],
        rows: [
          [2, 4, 1],
          [0, 4, 1],
        ],
      },
      {
        rows: [
          [0, 5, 1],
          [2, 5, 1],
        ],
      },
    ];
    const calls = steps.map(
      ({ encode = [], rows, close = [] }): Call => [
        "step",
        {
          close,
          encode: encode.map((sequence) => ({ sequence, ids: sources[sequence]! })),
          rows: rows.map(
            ([sequence, from, count]): StepRow => ({
              sequence,
              ids: targets[sequence]!.slice(from, from + count),
              want: "logits",
            }),
          ),
        },
      ],
    );
    const [first] = await inRanks(programs, calls);
    for (const [at, { rows }] of steps.entries()) {
      for (const [row, [sequence, from, count]] of rows.entries()) {
        const { logits } = first!.results[at]!.rows[row]!;
        expect(logits!).toBeAllclose(expected(sequence, from, count), tolerance);
      }
    }
    const sourceTokens = sources.flat().length;
    expect(first!.results.at(-1)!.counters).toMatchObject({ sourceTokens, tokens: 17 });
  });
});

test("refuses a row before its sequence has a source", async () => {
  const step: Call = ["step", { close: [], rows: [{ sequence: 1, ids: [1], want: "logits" }] }];
  await expect(inRanks(tinyTranslator(1), [step])).rejects.toMatchObject({
    code: "RR_RANK_FAILED",
    cause: expect.objectContaining({ code: "RR_INPUT" }),
  });
});
