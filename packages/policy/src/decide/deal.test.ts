import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deal, nearEven } from "./deal.js";

const counts = (units: number, within: number, ranks: number): number[] =>
  deal(units, within, ranks).map(
    (hand) => (hand.units[1] - hand.units[0]) * (hand.within[1] - hand.within[0]),
  );

describe("dealing units to ranks", () => {
  it("deals near-evenly, earlier ranks first", () => {
    expect(counts(6, 1, 4)).toEqual([2, 2, 1, 1]);
  });

  it("leaves ranks without units if there are too few", () => {
    expect(counts(2, 1, 4)).toEqual([1, 1, 0, 0]);
  });

  it("splits the queries of a key head over the ranks that share it", () => {
    expect(deal(2, 4, 4)).toEqual([
      { units: [0, 1], within: [0, 2] },
      { units: [0, 1], within: [2, 4] },
      { units: [1, 2], within: [0, 2] },
      { units: [1, 2], within: [2, 4] },
    ]);
  });

  it("never gives a rank parts of two units", () => {
    expect(counts(2, 4, 3)).toEqual([2, 2, 4]);
  });

  it("leaves a rank with nothing if a unit has fewer pieces than ranks", () => {
    expect(counts(1, 2, 3)).toEqual([1, 1, 0]);
  });

  it("deals every piece of every unit exactly once, and always some to rank 0", () => {
    const size = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(size, size, size, (units, within, ranks) => {
        const seen = new Set<string>();
        for (const hand of deal(units, within, ranks)) {
          for (let unit = hand.units[0]; unit < hand.units[1]; unit++) {
            for (let piece = hand.within[0]; piece < hand.within[1]; piece++) {
              expect(seen.has(`${unit}/${piece}`)).toBe(false);
              seen.add(`${unit}/${piece}`);
            }
          }
        }
        expect(seen.size).toBe(units * within);
        expect(counts(units, within, ranks)[0]).toBeGreaterThan(0);
      }),
    );
  });

  it("cuts a range into parts that differ by at most one", () => {
    expect(nearEven(10, 4)).toEqual([
      [0, 3],
      [3, 6],
      [6, 8],
      [8, 10],
    ]);
  });
});
