/** Runs every algorithm through the same cases, which a new algorithm must pass. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CollectiveArray, ReduceOperation } from "../communicator.js";
import { type CollectiveCase, RankTeam } from "../testing/rank-team.js";
import { reference } from "../testing/reference.js";

const worldSizes = [1, 2, 3, 4, 5, 6, 7, 8];
const lengths = [0, 1, 3, 7, 1024];
/** More than four windows hold. */
const manyElements = 300_003;
/** With `auto`, one goes round the ring, and the other does not, whatever the machine. */
const [ringLength, shotLength] = [2 ** 19 + 3, 10_000];
const collectives = ["allReduce", "allGather", "reduceScatter", "broadcast"] as const;
const operations = ["sum", "max"] as const;

describe.each(worldSizes)("a world of %i", (worldSize) => {
  let team: RankTeam;
  beforeAll(async () => {
    team = await RankTeam.start(worldSize);
  });
  afterAll(() => team.stop());

  describe.each(["ring", "one-shot", "two-shot"] as const)("%s", (algorithm) => {
    it.each(collectives)(
      "computes %s with the documented bits on every rank, for every length and type",
      async (collective) => {
        const cases = lengths.flatMap((length) =>
          operations.flatMap((operation) => [
            caseOf({ collective, operation, inputs: floats(worldSize, length) }),
            caseOf({ collective, operation, inputs: ints(worldSize, length) }),
          ]),
        );
        const perform = await team.group(algorithm);
        const results = await perform(...cases);
        for (const [index, one] of cases.entries()) expectBits(results[index]!, reference(one, algorithm));
      },
    );

    it("computes the same bits in windows much smaller than the message", async () => {
      const cases = collectives.map((collective) =>
        caseOf({ collective, operation: "sum", inputs: floats(worldSize, 5001), root: worldSize - 1 }),
      );
      const perform = await team.group(algorithm, { windowBytes: 256 });
      const results = await perform(...cases);
      for (const [index, one] of cases.entries()) expectBits(results[index]!, reference(one, algorithm));
    });

    it("reduces a message of several windows, twice with the same bits", async () => {
      const one = caseOf({
        collective: "allReduce",
        operation: "sum",
        inputs: floats(worldSize, manyElements),
      });
      const perform = await team.group(algorithm);
      const [first, second] = await perform(one, one);
      expectBits(first!, reference(one, algorithm));
      expectBits(second!, first!);
    });

    it("computes the same as the plain definition, for any sizes, values and order of calls", async () => {
      const perform = await team.group(algorithm, { windowBytes: 512 });
      await fc.assert(
        fc.asyncProperty(fc.array(anyCase(worldSize), { minLength: 1, maxLength: 6 }), async (cases) => {
          const results = await perform(...cases);
          for (const [index, one] of cases.entries()) expectBits(results[index]!, reference(one, algorithm));
        }),
        { numRuns: 15 },
      );
    });

    it("propagates NaN and infinities, and orders −0 below +0 in a maximum", async () => {
      const specials = [Number.NaN, Number.POSITIVE_INFINITY, -0, 0];
      const inputs = Array.from({ length: worldSize }, (_, rank) =>
        Float32Array.from(specials.map((value, i) => (rank === i % worldSize ? value : -0))),
      );
      const perform = await team.group(algorithm);
      const [sums, maxima] = await perform(
        { collective: "allReduce", operation: "sum", inputs },
        { collective: "allReduce", operation: "max", inputs },
      );
      for (const result of sums!) expect([...result]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, -0, 0]);
      for (const result of maxima!)
        expect([...result]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, -0, 0]);
    });
  });

  it("chooses by size, call by call, without changing a sum that is exact in any order", async () => {
    const perform = await team.group("auto");
    const cases = [shotLength, ringLength, 7, shotLength, 1024, ringLength, 0, 1].map((length) => {
      const inputs = ints(worldSize, length).map((row) => Float32Array.from(row, (value) => value >> 16));
      return caseOf({ collective: "allReduce", operation: "sum", inputs });
    });
    const results = await perform(...cases);
    for (const [index, one] of cases.entries()) expectBits(results[index]!, reference(one, "one-shot"));
  });
});

/** `allGather` and `broadcast` have no operation. */
function caseOf({ collective, operation, root, inputs }: CollectiveCase): CollectiveCase {
  if (collective === "allGather") return { collective, inputs };
  if (collective === "broadcast") return { collective, inputs, root: root ?? 0 };
  return { collective, inputs, operation: operation ?? "sum" };
}

const scales = [1e9, 1e2, 1e5, 1, 1e7];

/** Values whose sums depend on the order of additions. */
function floats(worldSize: number, length: number): Float32Array[] {
  return ints(worldSize, length).map((row, rank) => {
    const scaled = new Float32Array(length);
    for (let i = 0; i < length; i++) scaled[i] = row[i]! / scales[(i + rank) % scales.length]!;
    return scaled;
  });
}

/** Values whose sums overflow. */
function ints(worldSize: number, length: number): Int32Array[] {
  return Array.from({ length: worldSize }, (_, rank) => {
    const row = new Int32Array(length);
    for (let i = 0; i < length; i++) row[i] = Math.imul(i + 1, 0x9e3779b1) ^ (rank * 0x7f4a7c15);
    return row;
  });
}

function anyCase(worldSize: number): fc.Arbitrary<CollectiveCase> {
  const type = fc.constantFrom("float32", "int32");
  const operation = fc.constantFrom<ReduceOperation>("sum", "max");
  const counts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: worldSize, maxLength: worldSize });
  const root = fc.integer({ min: 0, max: worldSize - 1 });
  return fc
    .record({
      collective: fc.constantFrom(...collectives),
      type,
      operation,
      counts,
      root,
      seed: fc.integer(),
    })
    .map(({ collective, type, operation, counts, root, seed }) => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      const inputs = counts.map((count, rank) => {
        const length = collective === "allGather" ? count : total;
        const value = (i: number) => Math.imul(seed ^ (i * worldSize + rank), 0x9e3779b1);
        return type === "int32"
          ? Int32Array.from({ length }, (_, i) => value(i))
          : Float32Array.from({ length }, (_, i) => value(i) / 2 ** (24 + (i % 16)));
      });
      const uneven = collective === "allGather" || collective === "reduceScatter" ? { counts } : {};
      return { ...caseOf({ collective, operation, root, inputs }), ...uneven };
    });
}

/**
 * Compares bits, so −0 is not 0. Only shows the first difference, because printing so many elements takes minutes.
 */
function expectBits(received: readonly CollectiveArray[], expected: readonly CollectiveArray[]): void {
  expect(received.map((result) => result.length)).toEqual(expected.map((result) => result.length));
  for (const [rank, result] of received.entries()) {
    if (bytesOf(result).equals(bytesOf(expected[rank]!))) continue;
    const index = result.findIndex((value, i) => !Object.is(value, expected[rank]![i]));
    expect({ rank, index, value: result[index] }).toEqual({ rank, index, value: expected[rank]![index] });
    expect.unreachable(`rank ${rank} has a NaN with other bits`);
  }
}

function bytesOf(array: CollectiveArray): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
