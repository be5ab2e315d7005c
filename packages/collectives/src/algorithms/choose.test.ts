import { describe, expect, it } from "vitest";
import { AlgorithmChoice } from "./choose.js";

const decodeStep = 16 * 1024;
const prefill = 8 * 1024 * 1024;

describe("auto", () => {
  it.each([
    [2, "one-shot"],
    [3, "two-shot"],
    [8, "two-shot"],
    [64, "two-shot"],
  ])(
    "on %i ranks with a core each, chooses %s for a decode step and the ring for a prefill",
    (worldSize, shots) => {
      const choice = new AlgorithmChoice("auto", worldSize, false, undefined);
      expect(choice.of("allReduce", decodeStep).name).toBe(shots);
      expect(choice.of("allReduce", prefill).name).toBe("ring");
    },
  );

  it("chooses one-shot for a few words, which cost no more to read than another wait", () => {
    const choice = new AlgorithmChoice("auto", 8, false, undefined);
    expect(choice.of("allReduce", 512).name).toBe("one-shot");
  });

  it("chooses two-shot only for longer messages if ranks share cores, since each wait is a turn for all of them", () => {
    const name = (sharesCores: boolean) =>
      new AlgorithmChoice("auto", 4, sharesCores, undefined).of("allReduce", decodeStep).name;
    expect(name(false)).toBe("two-shot");
    expect(name(true)).toBe("one-shot");
  });

  it("chooses one-shot if each rank only has to do its share", () => {
    const choice = new AlgorithmChoice("auto", 4, false, undefined);
    expect(choice.of("allGather", prefill).name).toBe("one-shot");
    expect(choice.of("reduceScatter", prefill).name).toBe("one-shot");
  });
});

it.each(["ring", "one-shot", "two-shot"] as const)("%s can be forced for any size", (algorithm) => {
  const choice = new AlgorithmChoice(algorithm, 4, false, undefined);
  for (const bytes of [0, decodeStep, prefill]) {
    for (const kind of ["allReduce", "allGather", "reduceScatter"] as const) {
      expect(choice.of(kind, bytes).name).toBe(algorithm);
    }
  }
});
