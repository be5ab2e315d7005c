import type { ValueShard } from "@ringrank/policy";
import { setKernelFlags } from "@ringrank/webassembly";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import type { SamplingParameters } from "../protocol.js";
import { greedy } from "../testing/in-ranks.js";
import { onOneThread, valuesOf } from "../testing/on-one-thread.js";
import { chooseTokens, type TokenChoice } from "./choose-tokens.js";
import type { SamplingRow } from "./local-row.js";
import { GumbelNoise } from "./noise.js";
import { VocabularyShare } from "./vocabulary-share.js";

setKernelFlags();

const vocabulary = 700;
/** A sequence without tokens. */
const empty = { tokens: [], seen: new Set<number>() };

const shards: Record<string, { worldSize: number; shard?: ValueShard }> = {
  "1 rank": { worldSize: 1, shard: { axis: 1, size: vocabulary, intervals: [[[0, vocabulary]]] } },
  "2 ranks": {
    worldSize: 2,
    shard: { axis: 1, size: vocabulary, intervals: [[[0, 350]], [[350, vocabulary]]] },
  },
  "4 ranks, one of them without vocabulary": {
    worldSize: 4,
    shard: {
      axis: 1,
      size: vocabulary,
      intervals: [[[0, 100]], [], [[100, 101]], [[101, vocabulary]]],
    },
  },
  "3 ranks that overlap and have several intervals": {
    worldSize: 3,
    shard: {
      axis: 1,
      size: vocabulary,
      intervals: [
        [
          [0, 50],
          [300, 400],
        ],
        [[40, 350]],
        [
          [60, 70],
          [350, vocabulary],
        ],
      ],
    },
  },
  "2 ranks that both have all logits": { worldSize: 2 },
};

/** How each rank ends that chooses tokens of these rows from its part of their logits. */
function outcomes(
  name: string,
  rows: readonly SamplingRow[],
  kernels?: RankKernels,
): PromiseSettledResult<TokenChoice[]>[] {
  const { worldSize, shard } = shards[name]!;
  return onOneThread(worldSize, (communicator) => {
    const { rank } = communicator;
    const part = ({ logits }: SamplingRow): Float32Array =>
      shard === undefined
        ? logits
        : Float32Array.from(
            shard.intervals[rank]!.flatMap(([start, end]) => [...logits.subarray(start, end)]),
          );
    const share = new VocabularyShare(vocabulary, shard, rank, worldSize);
    return chooseTokens(
      communicator,
      share,
      rows.map((row) => ({ ...row, logits: part(row) })),
      kernels,
    );
  });
}

/** What each rank chooses. */
function choose(name: string, rows: readonly SamplingRow[], kernels?: RankKernels): TokenChoice[][] {
  return valuesOf(outcomes(name, rows, kernels));
}

/** The definition, on whole logits: transformers' processors in their order, then the Gumbel maximum. */
function reference({ logits, sampling, tokens, seen, position }: SamplingRow): TokenChoice {
  const { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgramSize, forcedEnd, seed, logprobs } =
    sampling;
  const banned = noRepeatNgramSize === 0 ? [] : bannedByNgrams(tokens, noRepeatNgramSize);
  const penalized = Array.from(logits, (logit, id) => {
    if (forcedEnd?.position === position) return forcedEnd.ids.includes(id) ? 0 : Number.NEGATIVE_INFINITY;
    if (banned.includes(id)) return Number.NEGATIVE_INFINITY;
    if (!seen.has(id)) return logit;
    return Math.fround(logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty);
  });
  const byScore = (scores: readonly number[]) =>
    [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  let token: number;
  if (temperature === 0) {
    token = byScore(penalized)[0]!;
  } else {
    const scores = penalized.map((logit) => logit / temperature);
    let kept = byScore(scores);
    if (topK > 0) kept = kept.slice(0, topK);
    const shares = softmax(kept.map((id) => scores[id]!));
    let reached = 0;
    const nucleus = shares.findIndex((share) => {
      reached += share;
      return reached >= topP;
    });
    if (topP < 1 && nucleus !== -1) kept = kept.slice(0, nucleus + 1);
    kept = kept.filter((id) => scores[id]! >= scores[kept[0]!]! + Math.log(minP));
    const noise = new GumbelNoise(seed, position);
    const heights = kept.map((id) => scores[id]! + noise.of(id));
    token = kept[heights.indexOf(Math.max(...heights))]!;
  }
  return { token, logprob: logprobs ? Math.log(softmax([...logits])[token]!) : Number.NaN };
}

/** As in transformers: a table of what has followed each (size − 1)-gram, in which the last one is looked up. */
function bannedByNgrams(tokens: readonly number[], size: number): number[] {
  const key = (gram: readonly number[]): string => gram.join();
  const followers = new Map<string, number[]>();
  for (let end = size; end <= tokens.length; end++) {
    const before = key(tokens.slice(end - size, end - 1));
    followers.set(before, [...(followers.get(before) ?? []), tokens[end - 1]!]);
  }
  return followers.get(key(tokens.slice(tokens.length - size + 1))) ?? [];
}

function softmax(values: readonly number[]): number[] {
  const max = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

const parameters: fc.Arbitrary<SamplingParameters> = fc.record({
  temperature: fc.constantFrom(0, 0.3, 1, 2.5),
  topK: fc.constantFrom(0, 0, 1, 7, 300, 2000),
  topP: fc.constantFrom(1, 1, 0.05, 0.7, 0.999),
  minP: fc.constantFrom(0, 0, 0.02, 0.5),
  repetitionPenalty: fc.constantFrom(1, 1.3, 0.8),
  noRepeatNgramSize: fc.constantFrom(0, 0, 1, 2, 3),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  logprobs: fc.boolean(),
});

/** Smooth logits, or few distinct values, so that most are tied; sometimes −∞. */
const logits = fc
  .record({
    ids: fc.uint32Array({ minLength: vocabulary, maxLength: vocabulary }),
    spread: fc.constantFrom(0.01, 3, 12),
    steps: fc.constantFrom(3, 2 ** 32),
    hidden: fc.constantFrom(0, 100),
  })
  .map(({ ids, spread, steps, hidden }) =>
    Float32Array.from(ids, (word, id) =>
      id < hidden
        ? Number.NEGATIVE_INFINITY
        : (Math.floor((word / 2 ** 32) * steps) / steps - 0.5) * 2 * spread,
    ),
  );

/** Any tokens, or few distinct ones, so that n-grams repeat. */
const tokens = fc.oneof(
  fc.array(fc.nat(vocabulary - 1), { maxLength: 40 }),
  fc.array(fc.constantFrom(0, 99, 100, 320, 699), { maxLength: 40 }),
);

const row: fc.Arbitrary<SamplingRow> = fc
  .record({
    logits,
    parameters,
    tokens,
    position: fc.nat(4000),
    forced: fc.constantFrom([], [], [], [699], [320, 5]),
  })
  .map(({ logits, parameters, tokens, position, forced }) => {
    const forcedEnd = { position, ids: forced };
    const sampling = forced.length === 0 ? parameters : { ...parameters, forcedEnd };
    return { logits, sampling, tokens, seen: new Set(tokens), position };
  });
/** With nothing but a temperature, which is rare among random parameters. */
const temperatures: SamplingRow[] = Array.from({ length: 20 }, (_, position) => ({
  logits: Float32Array.from({ length: vocabulary }, (_, id) => 3 * Math.sin(id * id)),
  sampling: { ...greedy, temperature: position % 2 === 0 ? 0.3 : 2.5, seed: 5 },
  ...empty,
  position,
}));
const cases = [
  temperatures,
  ...fc.sample(fc.array(row, { minLength: 1, maxLength: 4 }), { numRuns: 60, seed: 7 }),
];
const expected = cases.map((rows) => rows.map(reference));

describe.each(Object.keys(shards))("%s", (name) => {
  test.each([
    ["", undefined],
    [", with kernels", new RankKernels(4)],
  ])("choose the same as the definition on whole logits, on every rank%s", (_, kernels) => {
    for (const [at, rows] of cases.entries()) {
      for (const chosen of choose(name, rows, kernels)) {
        expect(chosen.map(({ token }) => token)).toEqual(expected[at]!.map(({ token }) => token));
        // Sums of 700 float64 terms in another order.
        expect(chosen.map(({ logprob }) => logprob)).toBeAllclose(
          expected[at]!.map(({ logprob }) => logprob),
          { rtol: 1e-9, atol: 1e-9 },
        );
      }
    }
  });

  test.each([
    ["NaN", Number.NaN, greedy],
    ["infinity", Number.POSITIVE_INFINITY, { ...greedy, temperature: 1 }],
  ])("refuse a logit of %s, on every rank, and name the rank that has it", (_name, value, sampling) => {
    const broken = new Float32Array(vocabulary).fill(1);
    broken[vocabulary - 1] = value;
    const rows = [{ logits: broken, sampling, ...empty, position: 3 }];
    const rank = shards[name]!.worldSize - 1;
    for (const outcome of outcomes(name, rows))
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "RR_RANK_FAILED", rank } });
  });
});

test("refuses logits of which no token can be chosen, which is the fault of no single rank", () => {
  const hidden = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  const rows = [{ logits: hidden, sampling: greedy, ...empty, position: 0 }];
  const error = expectCode("RR_RANK_FAILED", () => choose("2 ranks", rows));
  expect(error).not.toHaveProperty("rank");
});

test.each<[string, Partial<SamplingParameters>, number[], number]>([
  ["with top-p 0.5, the fewest whose share reaches it", { topP: 0.5 }, [3, 3], 1],
  ["with top-p 0, the likeliest", { topP: 0 }, [3, 3], 1],
  ["with min-p 1, those as likely as the likeliest", { minP: 1 }, [3, 3, 2.9], 2],
])("%s, may be chosen", (_, some, likeliest, count) => {
  const logits = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  logits.set(likeliest, 340);
  const sampling = { ...greedy, temperature: 1, ...some };
  const rows = Array.from({ length: 30 }, (_, position) => ({ logits, sampling, ...empty, position }));
  const [chosen] = choose("2 ranks", rows);
  const tokens = new Set(chosen!.map(({ token }) => token));
  expect([...tokens].sort()).toEqual([340, 341].slice(0, count));
});

test("a temperature so low that logits cannot be divided by it chooses the likeliest", () => {
  const logits = new Float32Array(vocabulary).fill(-40);
  logits.set([2, 3], 340);
  const sampling = { ...greedy, temperature: Number.MIN_VALUE };
  const rows = [{ logits, sampling, ...empty, position: 0 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(341);
});

test("the repetition penalty makes a token less likely, even if its logit is negative", () => {
  const logits = new Float32Array(vocabulary).fill(-9);
  logits.set([-1, -1.1], 40);
  const sampling = { ...greedy, repetitionPenalty: 1.3 };
  const rows = [{ logits, sampling, tokens: [40], seen: new Set([40]), position: 1 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(41);
});

test.each(["greedy", "noise", "filter"])(
  "no repetition penalty, however strong or weak, makes logits invalid (%s)",
  (strategy) => {
    const logits = new Float32Array(vocabulary).fill(-40);
    logits.set([3, 2], 40);
    const some = { greedy: {}, noise: { temperature: 1 }, filter: { temperature: 1, topP: 0.9 } }[strategy];
    const rowOf = (repetitionPenalty: number) => ({
      logits,
      sampling: { ...greedy, ...some, repetitionPenalty },
      tokens: [40, 41],
      seen: new Set([40, 41]),
      position: 2,
    });
    const [chosen] = choose("2 ranks", [Number.MAX_VALUE, 1e-30, Number.MIN_VALUE].map(rowOf));
    // The strongest penalty makes both logits 0, far from all others; the weaker ones leave only these two.
    for (const { token } of chosen!) expect([40, 41]).toContain(token);
  },
);

test("no repetition penalty hides all tokens: the least finite logits can still be chosen", () => {
  const logits = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  logits.set([-3, -2], 40);
  const sampling = { ...greedy, repetitionPenalty: Number.MAX_VALUE };
  const rows = [{ logits, sampling, tokens: [40, 41], seen: new Set([40, 41]), position: 2 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(40);
});

test("logits so large that noise is lost in rounding tie: the lowest id is chosen, whichever rank has it", () => {
  // Rank 0 has ids below 50 and from 300 on, rank 1 those in between.
  const ties = [
    [10, 100],
    [100, 320],
  ];
  const rows = ties.flatMap((ids) => {
    const logits = new Float32Array(vocabulary);
    for (const id of ids) logits[id] = 1e30;
    const samplings = [
      { ...greedy, temperature: 1 },
      { ...greedy, temperature: 1, topK: 5 },
    ];
    return samplings.map((sampling) => ({ logits, sampling, ...empty, position: 0 }));
  });
  const [chosen] = choose("3 ranks that overlap and have several intervals", rows);
  expect(chosen!.map(({ token }) => token)).toEqual([10, 10, 100, 100]);
});

test("penalized logits are compared in float32, on several ranks as on one: a tie goes to the lowest id", () => {
  const logits = new Float32Array(vocabulary).fill(-40);
  // A third of each has the same nearest float32.
  logits[40] = 1.5 + 2 ** -23;
  logits[400] = 1.5 + 2 ** -22;
  const sampling = { ...greedy, repetitionPenalty: 3 };
  const rows = [{ logits, sampling, tokens: [40, 400], seen: new Set([40, 400]), position: 2 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(40);
});

test("a repetition penalty does not hide an infinite logit", () => {
  const logits = new Float32Array(vocabulary).fill(1);
  logits[40] = Number.POSITIVE_INFINITY;
  const sampling = { ...greedy, repetitionPenalty: 1.3 };
  const rows = [{ logits, sampling, tokens: [40], seen: new Set([40]), position: 1 }];
  expectCode("RR_RANK_FAILED", () => choose("2 ranks", rows));
});

test.each([
  ["greedy", {}],
  ["noise", { temperature: 1 }],
  ["filter", { temperature: 1, topK: 2 }],
])("the likeliest token is not chosen if an n-gram would repeat (%s)", (_, some) => {
  const logits = new Float32Array(vocabulary).fill(-40);
  logits.set([9, 3], 400);
  const tokens = [7, 400, 7];
  const sampling = { ...greedy, ...some, noRepeatNgramSize: 2 };
  const rows = [{ logits, sampling, tokens, seen: new Set(tokens), position: 3 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(401);
});

test("a ban on repetition is lifted if it leaves no token", () => {
  const logits = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  logits.set([1, 2], 400);
  const tokens = [400, 401];
  const sampling = { ...greedy, noRepeatNgramSize: 1 };
  const rows = [{ logits, sampling, tokens, seen: new Set(tokens), position: 2 }];
  const [chosen] = choose("2 ranks", rows);
  expect(chosen![0]!.token).toBe(401);
});

test("samples follow the softmax of the logits", () => {
  const weights = [0.5, 0.25, 0.15, 0.1];
  const logits = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  for (const [id, weight] of weights.entries()) logits[id * 150] = Math.log(weight);
  const draws = 4000;
  const sampling = { ...greedy, temperature: 1, seed: 11 };
  const rows = Array.from({ length: draws }, (_, position) => ({
    logits,
    sampling,
    ...empty,
    position,
  }));
  const [chosen] = choose("1 rank", rows);
  const shares = weights.map((_, id) => chosen!.filter(({ token }) => token === id * 150).length / draws);
  // Four standard deviations of a share of 0.5 in 4000 draws.
  expect(shares).toBeAllclose(weights, { rtol: 0, atol: 0.032 });
});

test("a repeated seed and position repeat the choice, and another seed changes some", () => {
  const logits = new Float32Array(vocabulary);
  const draw = (seed: number) =>
    Array.from({ length: 20 }, (_, position) => ({
      logits,
      sampling: { ...greedy, temperature: 1, seed },
      ...empty,
      position,
    }));
  const [first, again, other] = [1, 1, 2].map((seed) => choose("1 rank", draw(seed)));
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});
