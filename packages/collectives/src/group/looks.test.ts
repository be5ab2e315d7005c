import { describe, expect, it } from "vitest";
import { type Allowance, allowance, hasCoreEach, LookLimit, mostLooks, rest } from "./looks.js";

describe("a rank", () => {
  it.each([
    [2, 2, true],
    [8, 16, true],
    [3, 2, false],
    [2, 1, false],
  ])("of %i on %i cores has a core of its own: %s", (worldSize, cores, expected) => {
    expect(hasCoreEach(worldSize, cores)).toBe(expected);
  });

  it("only works without looking if ranks share cores", () => {
    expect(allowance(false, mostLooks).fewest).toBe(0);
    expect(allowance(true, mostLooks).fewest).toBeGreaterThan(0);
  });

  it("has an unlimited number of pauses between looks, which grow by roots of finite numbers", () => {
    let root = 1;
    for (let look = 0; look < 1000; look++) root = rest(root);
    expect(root).toBeCloseTo((1 + Math.sqrt(5)) / 2);
  });
});

describe("a limit of looks", () => {
  const inVain = (limit: LookLimit, waits: number) => {
    for (let wait = 0; wait < waits; wait++) {
      limit.forNextWait();
      limit.wasInVain();
    }
  };
  const thousand: Allowance = { most: 1000, fewest: 50, waitsPerTrial: 64 };

  it("is the whole allowance at first", () => {
    expect(new LookLimit(thousand).forNextWait()).toBe(1000);
  });

  it("falls to the minimum while looking is in vain", () => {
    const limit = new LookLimit(thousand);
    inVain(limit, 10);
    expect(limit.forNextWait()).toBe(50);
  });

  it("falls to nothing if that is the minimum", () => {
    const limit = new LookLimit({ ...thousand, fewest: 0 });
    inVain(limit, 10);
    expect(limit.forNextWait()).toBe(0);
  });

  it("is the whole allowance again after looking has succeeded", () => {
    const limit = new LookLimit(thousand);
    inVain(limit, 10);
    limit.paid();
    expect(limit.forNextWait()).toBe(1000);
  });

  it("is the whole allowance in some waits, to find out whether looking would succeed again", () => {
    const limit = new LookLimit(thousand);
    limit.wasInVain();
    const tried = Array.from({ length: 3 * 64 }, () => limit.forNextWait());
    expect(tried.filter((looks) => looks === 1000)).toHaveLength(3);
  });

  it("never exceeds an allowance that is less than the minimum", () => {
    const limit = new LookLimit({ ...thousand, most: 0 });
    inVain(limit, 10);
    expect(limit.forNextWait()).toBe(0);
  });
});
