import { describe, expect, test } from "vitest";
import type { GivenTokens, StepRow } from "../protocol.js";
import { type Call, greedy, inRanks } from "../testing/in-ranks.js";
import { tinyDecoder, vocabulary } from "../testing/tiny-decoder.js";

const heads = 2;
/** fp32 sums of at most 12 terms of size ~1, in another order. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };

const ids = (sequence: number, length: number) =>
  Array.from({ length }, (_, at) => (at * at * 3 + at + sequence * 7) % vocabulary);
const logitsOf = (sequence: number, tokens: readonly number[]): GivenTokens => ({
  sequence,
  ids: tokens,
  want: "logits",
});
const step = (rows: StepRow[], close: number[] = []): Call => ["step", { close, rows }];
const wholeRun = (tokens: readonly number[]): Call => [
  "run",
  {
    entry: "forward",
    inputs: {
      input_ids: { type: "int64", dims: [1, tokens.length], data: BigInt64Array.from(tokens, BigInt) },
    },
    outputs: ["logits"],
    logits: "all",
  },
];

describe.each([
  ["a full cache", undefined],
  ["a window of 70", 70],
])("with %s", (_name, window) => {
  test("a sequence of several blocks gets the whole sequence's logits at each step", async () => {
    const programs = tinyDecoder({ heads, worldSize: 2, ...(window === undefined ? {} : { window }) });
    const tokens = ids(1, 150);
    const calls = [
      wholeRun(tokens),
      step([logitsOf(1, tokens.slice(0, 60))]),
      ...tokens.slice(60).map((token) => step([logitsOf(1, [token])])),
    ];
    const [first] = await inRanks(programs, calls);
    const [whole, ...steps] = first!.results;
    const stepped = steps.flatMap((result) => [...result.rows[0]!.logits!]);
    expect(stepped).toBeAllclose(whole!.outputs.logits!.data as Float32Array, tolerance);
  });
});

test("sequences that share steps, sit out, close and reopen get the same results as alone", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const [a, b, c, d] = [1, 2, 3, 4].map((sequence) => ids(sequence, 12));
  const rows: [GivenTokens[], number[]?][] = [
    [[logitsOf(1, a!.slice(0, 5))]],
    [[logitsOf(2, b!.slice(0, 3)), logitsOf(3, c!.slice(0, 3))]],
    [[logitsOf(1, [a![5]!]), logitsOf(2, [b![3]!]), logitsOf(3, [c![3]!])]],
    [[logitsOf(3, [c![4]!]), logitsOf(1, [a![6]!])]],
    [[logitsOf(1, a!.slice(7, 10)), logitsOf(3, c!.slice(5, 8))]],
    [[logitsOf(4, d!.slice(0, 4))], [1]],
    [[logitsOf(4, [d![4]!]), logitsOf(2, [b![4]!])]],
  ];
  const calls = [
    ...[a, b, c, d].map((tokens) => wholeRun(tokens!)),
    ...rows.map(([r, close]) => step(r, close)),
  ];
  const [first] = await inRanks(programs, calls);
  const whole = first!.results.slice(0, 4).map((result) => result.outputs.logits!.data as Float32Array);
  const had = [0, 0, 0, 0];
  for (const [at, [stepRows]] of rows.entries()) {
    for (const [row, { sequence, ids: tokens }] of stepRows.entries()) {
      const start = had[sequence - 1]! * vocabulary;
      had[sequence - 1]! += tokens.length;
      const logits = first!.results[4 + at]!.rows[row]!.logits!;
      expect(logits).toBeAllclose(whole[sequence - 1]!.subarray(start, start + logits.length), tolerance);
    }
  }
});

test("a chunk that wants nothing returns nothing and extends the cache", async () => {
  const tokens = ids(1, 10);
  const [first] = await inRanks(tinyDecoder({ heads, worldSize: 2 }), [
    wholeRun(tokens),
    step([{ sequence: 1, ids: tokens.slice(0, 9), want: "nothing" }]),
    step([logitsOf(1, tokens.slice(9))]),
    step([], [1]),
  ]);
  const [whole, nothing, last, closed] = first!.results;
  expect(nothing!.rows).toEqual([{}]);
  expect(last!.rows[0]!.logits!).toBeAllclose(
    (whole!.outputs.logits!.data as Float32Array).slice(-vocabulary),
    tolerance,
  );
  expect(closed!.rows).toEqual([]);
});

test("a chunk that wants nothing ends once its cache rows are complete", async () => {
  const [first] = await inRanks(tinyDecoder({ heads, worldSize: 2 }), [
    step([{ sequence: 1, ids: ids(1, 9), want: "nothing" }]),
    step([logitsOf(1, ids(1, 1))]),
  ]);
  // The decoder's all-reduce is after its cache, as is the all-gather of its logits.
  expect(first!.results.map(({ counters }) => counters.collectives)).toEqual([0, 2]);
});

test("the same seed samples the same tokens on 1, 2 and 4 ranks", async () => {
  const sampling = { ...greedy, temperature: 0.9, topP: 0.95, repetitionPenalty: 1.1, seed: 42 };
  const choices: number[][] = [];
  for (const worldSize of [1, 2, 4]) {
    const rows = Array.from({ length: 20 }, (_, at) => at + 1).map(
      (length): Call => step([{ sequence: length, ids: ids(1, length), want: "token", sampling }]),
    );
    const [first] = await inRanks(tinyDecoder({ heads, worldSize }), rows);
    choices.push(first!.results.map((result) => result.rows[0]!.token!));
  }
  expect(new Set(choices[0]).size).toBeGreaterThan(3);
  expect(choices[1]).toEqual(choices[0]);
  expect(choices[2]).toEqual(choices[0]);
});

const tokenOf = (sequence: number, tokens: readonly number[], endIds: readonly number[] = []): StepRow => ({
  sequence,
  ids: tokens,
  want: "token",
  sampling: { ...greedy, temperature: 0.9, repetitionPenalty: 1.1, seed: 3 },
  endIds,
});
const next = (sequence: number): StepRow => ({ sequence, want: "next" });

test("a row that says next continues with the token chosen last", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const chosen = async (calls: Call[]): Promise<(number | undefined)[]> => {
    const [first] = await inRanks(programs, calls);
    return first!.results.map((result) => result.rows[0]!.token);
  };
  const following = await chosen([
    step([tokenOf(1, ids(1, 4))]),
    ...Array.from({ length: 5 }, () => step([next(1)])),
  ]);
  const given = await chosen([
    step([tokenOf(1, ids(1, 4))]),
    ...following.slice(0, -1).map((token) => step([tokenOf(1, [token!])])),
  ]);
  expect(following).toEqual(given);
});

test("a sequence that begins with tokens of a kept one gets the same logits and choices as if it had computed them", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const tokens = ids(1, 80);
  const [rest, last] = [tokens.slice(66, 79), tokens.slice(79)];
  const restored = { sequence: 2, from: 1, tokens: 66 };
  const [first] = await inRanks(programs, [
    wholeRun(tokens),
    step([tokenOf(3, tokens)]),
    step([logitsOf(1, [...tokens.slice(0, 70), 1, 2, 3])]),
    ["step", { keep: [1], close: [3], restore: [restored], rows: [logitsOf(2, rest)] }],
    // The penalty of repeated tokens counts the restored ones.
    step([tokenOf(2, last)]),
  ]);
  const [whole, alone, , appended, chosen] = first!.results;
  const expected = (whole!.outputs.logits!.data as Float32Array).slice(66 * vocabulary, 79 * vocabulary);
  expect(appended!.rows[0]!.logits!).toBeAllclose(expected, tolerance);
  expect(chosen!.rows[0]!.token).toBe(alone!.rows[0]!.token);
});

test("so does one that begins with tokens of an open one, which goes on as if nothing had been copied", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const tokens = ids(1, 80);
  const restored = { sequence: 2, from: 1, tokens: 66 };
  const [first] = await inRanks(programs, [
    wholeRun(tokens),
    step([logitsOf(1, tokens.slice(0, 70))]),
    ["step", { close: [], restore: [restored], rows: [logitsOf(2, tokens.slice(66))] }],
    step([logitsOf(1, tokens.slice(70))]),
  ]);
  const [whole, , appended, continued] = first!.results;
  const expected = whole!.outputs.logits!.data as Float32Array;
  expect(appended!.rows[0]!.logits!).toBeAllclose(expected.slice(66 * vocabulary), tolerance);
  expect(continued!.rows[0]!.logits!).toBeAllclose(expected.slice(70 * vocabulary), tolerance);
});

test("refuses to begin with tokens of a sequence that is neither kept nor open", async () => {
  const restored = { sequence: 2, from: 1, tokens: 1 };
  const steps = inRanks(tinyDecoder({ heads, worldSize: 1 }), [
    step([logitsOf(1, [1, 2])]),
    step([], [1]),
    ["step", { close: [], restore: [restored], rows: [logitsOf(2, [3])] }],
  ]);
  await expect(steps).rejects.toMatchObject({ message: expect.stringContaining("open sequence, got 1") });
});

test("nothing is computed after a token that ends its sequence, while other rows of the step continue", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const [alone] = await inRanks(programs, [step([tokenOf(1, ids(1, 4))]), step([next(1)])]);
  const [end] = [alone!.results[0]!.rows[0]!.token!];
  const [first] = await inRanks(programs, [
    step([tokenOf(1, ids(1, 4), [end]), tokenOf(2, ids(1, 4))]),
    step([next(1), next(2)]),
    step([next(1)]),
  ]);
  const [, both, none] = first!.results;
  expect(both!.rows).toEqual([{}, alone!.results[1]!.rows[0]]);
  expect(none!.rows).toEqual([{}]);
  expect(none!.counters).toMatchObject({ steps: 2, tokens: 4 + 4 + 1 });
});

test.each([
  ["without a token chosen before", [step([logitsOf(1, [2])])]],
  ["after other tokens have entered", [step([tokenOf(1, ids(1, 4))]), step([logitsOf(1, [2])])]],
  ["of a closed sequence", [step([tokenOf(1, ids(1, 4))]), step([], [1])]],
])("refuses a next token %s", async (_, before) => {
  const programs = tinyDecoder({ heads, worldSize: 1 });
  const steps = inRanks(programs, [...before, step([next(1)])]);
  await expect(steps).rejects.toMatchObject({
    code: "RR_RANK_FAILED",
    message: expect.stringContaining("chosen"),
  });
});
