import { describe, expect, it } from "vitest";
import { canSpin, mostSpins, rest, SpinLimit } from "./spin.js";

describe("a rank", () => {
  it.each([
    [1, 2],
    [7, 8],
  ])("spins for %i others on %i cores, one of which is its own", (atWork, cores) => {
    expect(canSpin(atWork, cores)).toBe(true);
  });

  it.each([
    [2, 2],
    [7, 2],
    [1, 1],
  ])("makes room for %i others on %i cores", (atWork, cores) => {
    expect(canSpin(atWork, cores)).toBe(false);
  });

  it("looks less often where ranks share cores", () => {
    expect(mostSpins(3, 2)).toBeLessThan(mostSpins(2, 2));
    expect(mostSpins(3, 2)).toBeGreaterThan(0);
  });

  it("rests between two looks as often as it likes, by roots of numbers that stay numbers", () => {
    let root = 1;
    for (let look = 0; look < 1000; look++) root = rest(root);
    expect(root).toBeCloseTo((1 + Math.sqrt(5)) / 2);
  });
});

describe("a spin limit", () => {
  const inVain = (limit: SpinLimit, waits: number) => {
    for (let wait = 0; wait < waits; wait++) {
      limit.forNextWait();
      limit.wasInVain();
    }
  };

  it("is the whole allowance at first", () => {
    expect(new SpinLimit(1000).forNextWait()).toBe(1000);
  });

  it("falls while spinning is in vain, but not to nothing", () => {
    const limit = new SpinLimit(1000);
    inVain(limit, 10);
    expect(limit.forNextWait()).toBeLessThan(100);
    expect(limit.forNextWait()).toBeGreaterThan(0);
  });

  it("is the whole allowance again once spinning has paid", () => {
    const limit = new SpinLimit(1000);
    inVain(limit, 10);
    limit.paid();
    expect(limit.forNextWait()).toBe(1000);
  });

  it("is the whole allowance now and then, to find out whether spinning would pay again", () => {
    const limit = new SpinLimit(1000);
    inVain(limit, 10);
    const tried = Array.from({ length: 200 }, () => limit.forNextWait());
    expect(tried.filter((spins) => spins === 1000).length).toBeGreaterThan(1);
    expect(tried.filter((spins) => spins === 1000).length).toBeLessThan(10);
  });

  it("never exceeds a small allowance", () => {
    const limit = new SpinLimit(0);
    inVain(limit, 10);
    expect(limit.forNextWait()).toBe(0);
  });
});
