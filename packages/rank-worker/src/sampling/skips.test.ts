import { setKernelFlags } from "@ringrank/webassembly";
import { describe, expect, it, test } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { GumbelNoise } from "./noise.js";
import { type Skip, skipSmall, skipUnlikely } from "./skips.js";

setKernelFlags();

const kernels = {
  "plain code": undefined,
  "the plain kernels": new RankKernels(64, [kernelFiles.plain]),
  "the fused kernels": new RankKernels(64, [kernelFiles.fused]),
};
type Way = keyof typeof kernels;
const ways = Object.keys(kernels) as Way[];

/** A copy in the kernels' memory, if there are any. */
function near(floats: Float32Array, way: Way): Float32Array {
  const copy = kernels[way]?.memory.floats(floats.length);
  copy?.set(floats);
  return copy ?? floats;
}

/** The elements that are looked at if the best height does not change. */
function lookedAt(skip: Skip, best: number, count: number): number[] {
  const elements: number[] = [];
  for (let element = 0; element < count; ) {
    element = skip(element, best);
    for (const end = Math.min(element + 8, count); element < end; element++) elements.push(element);
  }
  return elements;
}

describe.each(ways)("keys, by %s:", (way) => {
  it.each([0, 7, 8, 9, 23, 100])("of %i, all groups are skipped that have none above the best", (count) => {
    const keys = near(
      Float32Array.from({ length: count }, (_, at) => (at * at * 7) % 50),
      way,
    );
    for (const best of [Number.NEGATIVE_INFINITY, 10, 43, 49]) {
      const looked = lookedAt(skipSmall(keys, kernels[way]), best, count);
      const inWholeGroups = looked.filter((element) => element + 8 - (element % 8) <= count);
      const needed = new Set([...keys.keys()].filter((at) => keys[at]! > best).map((at) => at - (at % 8)));
      expect(new Set(inWholeGroups.map((at) => at - (at % 8)))).toEqual(
        new Set([...needed].filter((first) => first + 8 <= count)),
      );
      expect(looked.slice(inWholeGroups.length)).toEqual([...keys.keys()].slice(count - (count % 8)));
    }
  });

  it("NaN is not skipped, wherever it is", () => {
    for (let place = 0; place < 24; place++) {
      const keys = near(new Float32Array(24).fill(Number.NaN, place, place + 1), way);
      expect(lookedAt(skipSmall(keys, kernels[way]), 5, 24)).toContain(place);
    }
  });
});

/** Any floats: smooth, few distinct, none, all, too large, and not numbers. */
const logitsOf = (count: number, spread: number) =>
  Float32Array.from({ length: count }, (_, at) => {
    if (at % 1000 === 17) return Number.NEGATIVE_INFINITY;
    return Math.sin(at * at) * spread;
  });

describe.each(ways)("noisy logits, by %s:", (way) => {
  const count = 20_003;
  const firstId = 70_000;
  const noise = new GumbelNoise(3, 4);

  test.each([
    [1, 10],
    [0.3, 10],
    [2.5, 30],
    [1e-5, 10],
    [1, 1e30],
    [1, 0],
  ])("at temperature %f, no token above the best is skipped (logits up to %f)", (temperature, spread) => {
    const logits = near(logitsOf(count, spread), way);
    const heights = Array.from(logits, (logit, at) => logit / temperature + noise.of(firstId + at));
    const descending = [...heights].sort((a, b) => b - a);
    const skip = skipUnlikely(logits, temperature, noise, firstId, kernels[way]);
    for (const rank of [0, 1, 5, 100, 5000]) {
      const best = descending[rank]!;
      const looked = new Set(lookedAt(skip, best, count));
      expect(heights.flatMap((height, at) => (height > best && !looked.has(at) ? [at] : []))).toEqual([]);
    }
  });

  it("without a best height yet, nothing is skipped; nor are NaN and infinity, whatever it is", () => {
    const logits = near(logitsOf(count, 10), way);
    for (const [at, broken] of [Number.NaN, Number.POSITIVE_INFINITY].entries())
      logits[5001 + 9 * at] = broken;
    const skip = skipUnlikely(logits, 1, noise, firstId, kernels[way]);
    expect(lookedAt(skip, Number.NEGATIVE_INFINITY, count)).toHaveLength(count);
    const looked = lookedAt(skip, 1000, count);
    expect(looked).toContain(5001);
    expect(looked).toContain(5010);
  });
});

test.each(ways.slice(1))("behind the best height, %s look at few noisy logits", (way) => {
  const noise = new GumbelNoise(3, 4);
  const logits = near(logitsOf(20_000, 10), way);
  const best = Math.max(...Array.from(logits, (logit, at) => logit + noise.of(at)));
  const looked = lookedAt(skipUnlikely(logits, 1, noise, 0, kernels[way]), best, logits.length);
  // Groups of eight, of which the bounds in float32 rule out most, and the last few.
  expect(looked.length).toBeLessThan(20_000 / 50);
});

test("logits elsewhere are copied to where kernels can read them, if there is room", () => {
  const small = new RankKernels(2, [kernelFiles.plain]);
  const keys = new Float32Array(100_000);
  keys[77_777] = 1;
  for (const one of [kernels["the plain kernels"], small]) {
    expect(skipSmall(keys, one)(0, 0)).toBe(77_776);
  }
});
