import { describe, expect, it } from "vitest";
import { AlgorithmChoice } from "./choose.js";

const decodeStep = 16 * 1024;
const prefill = 8 * 1024 * 1024;

describe("auto", () => {
  it.each([2, 3, 8, 64])(
    "takes one-shot for a decode step and the ring for a prefill, on %i ranks",
    (worldSize) => {
      const choice = new AlgorithmChoice("auto", worldSize, false, undefined);
      expect(choice.of("allReduce", decodeStep).name).toBe("one-shot");
      expect(choice.of("allReduce", prefill).name).toBe("ring");
    },
  );

  it("takes the ring later where ranks share cores, as each of its rounds wakes somebody", () => {
    const halfMegabyte = 512 * 1024;
    const name = (sharesCores: boolean) =>
      new AlgorithmChoice("auto", 4, sharesCores, undefined).of("allReduce", halfMegabyte).name;
    expect(name(false)).toBe("ring");
    expect(name(true)).toBe("one-shot");
  });

  it("takes one-shot where each rank only has its share to do", () => {
    const choice = new AlgorithmChoice("auto", 4, false, undefined);
    expect(choice.of("allGather", prefill).name).toBe("one-shot");
    expect(choice.of("reduceScatter", prefill).name).toBe("one-shot");
  });
});

it.each(["ring", "one-shot"] as const)("%s can be forced, whatever the size", (algorithm) => {
  const choice = new AlgorithmChoice(algorithm, 4, false, undefined);
  for (const bytes of [0, decodeStep, prefill]) {
    for (const kind of ["allReduce", "allGather", "reduceScatter"] as const) {
      expect(choice.of(kind, bytes).name).toBe(algorithm);
    }
  }
});
