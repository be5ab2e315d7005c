import { describe, expect, it } from "vitest";
import { SpinLimit, spinsFor } from "./spin.js";

describe("spinsFor", () => {
  it("lets ranks spin that have a core each", () => {
    expect(spinsFor(false)).toBeGreaterThan(1000);
  });

  it("lets ranks that share cores hardly spin", () => {
    expect(spinsFor(true)).toBeLessThan(100);
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
