import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { sessionThreads } from "./session-options.js";

describe("threads of a session", () => {
  const cores = availableParallelism();

  it.skipIf(cores === 1)("spin if every thread of every rank has a core", () => {
    expect(sessionThreads(cores, 1)).toEqual({ count: cores, spin: true });
  });

  it("sleep if they would compete for cores", () => {
    expect(sessionThreads(cores + 1, 1)).toEqual({ count: cores + 1, spin: false });
  });
});
