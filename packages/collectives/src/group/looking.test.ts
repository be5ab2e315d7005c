import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createGroup } from "./group.js";
import { GroupMemory } from "./group-memory.js";
import { looksPerYield } from "./looks.js";
import { Rounds } from "./rounds.js";

const yieldCore = vi.hoisted(() => vi.fn<() => void>());
vi.mock("./yield-core.js", () => ({ yieldCore: () => yieldCore, lateYieldCore: () => yieldCore }));

const looks = 200;

/** Rank 0 of two, on this many cores, and a function that simulates the arrival of rank 1. */
function alone(cores: number) {
  const handle = { ...createGroup({ worldSize: 2, stepTimeoutMs: 100 }), cores, looks };
  const memory = new GroupMemory(handle);
  memory.words[memory.layout.joined(1)] = 1;
  const arrive = () => Atomics.store(memory.words, memory.layout.published(1), 1);
  return { rounds: new Rounds(memory, handle, 0), arrive };
}

/** A clock that only tests advance: on a busy machine, any look may take as long as one whose core was taken. */
let now = 0;

beforeEach(() => {
  yieldCore.mockReset();
  vi.spyOn(performance, "now").mockImplementation(() => now);
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a rank that shares its core", () => {
  it("yields it until the awaited rank has arrived", () => {
    const { rounds, arrive } = alone(1);
    yieldCore.mockImplementationOnce(() => {}).mockImplementationOnce(arrive);
    rounds.wait(1, 1);
    expect(yieldCore).toHaveBeenCalledTimes(2);
  });

  it("works between two looks if there is something to do", () => {
    const { rounds, arrive } = alone(1);
    yieldCore.mockImplementationOnce(arrive);
    rounds.meanwhile = vi.fn();
    rounds.wait(1, 1);
    expect(rounds.meanwhile).toHaveBeenCalledTimes(1);
  });

  it("goes on after a yield that took no longer than its own work, since another rank of the core had to do the same", () => {
    const { rounds, arrive } = alone(1);
    now += 5;
    yieldCore
      .mockImplementationOnce(() => {
        now += 6;
      })
      .mockImplementationOnce(arrive);
    rounds.wait(1, 1);
    expect(yieldCore).toHaveBeenCalledTimes(2);
  });

  it("only takes its work since the last wait for a measure", () => {
    const { rounds, arrive } = alone(1);
    now += 5;
    yieldCore.mockImplementationOnce(arrive);
    rounds.wait(1, 1);
    yieldCore.mockReset().mockImplementationOnce(() => {
      now += 6;
    });
    expect(() => rounds.wait(1, 2)).toThrow("rank 1 made no progress for 100 ms");
    expect(yieldCore).toHaveBeenCalledTimes(1);
  });

  it("after a long yield, looks at most a quarter as often in the next wait, and then sleeps", () => {
    const { rounds, arrive } = alone(1);
    yieldCore.mockImplementationOnce(() => {
      now += 2;
      arrive();
    });
    rounds.wait(1, 1);
    expect(yieldCore).toHaveBeenCalledTimes(1);
    yieldCore.mockReset();
    expect(() => rounds.wait(1, 2)).toThrow("rank 1 made no progress for 100 ms");
    expect(yieldCore.mock.calls.length).toBeLessThanOrEqual(looks / 16);
  });
});

describe("a rank with a core of its own", () => {
  it("keeps it in a short wait", () => {
    const { rounds, arrive } = alone(2);
    let left = looksPerYield - 1;
    rounds.meanwhile = () => {
      if (--left === 0) arrive();
    };
    rounds.wait(1, 1);
    expect(yieldCore).not.toHaveBeenCalled();
  });

  it("yields it now and then in a long wait", () => {
    const { rounds } = alone(2);
    expect(() => rounds.wait(1, 1)).toThrow("rank 1 made no progress for 100 ms");
    expect(yieldCore).toHaveBeenCalledTimes(Math.floor(looks / looksPerYield));
  });
});
