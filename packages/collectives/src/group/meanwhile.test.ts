import { createGroup, runRanks } from "@ringrank/collectives";
import { describe, expect, it } from "vitest";

const task = new URL("../testing/meanwhile.task.mjs", import.meta.url);

/** Ranks look for each other as if each had a core, whatever this machine has. */
const dataFor = (worldSize: number) => ({
  group: { ...createGroup({ worldSize }), cores: worldSize },
  worked: new Int32Array(new SharedArrayBuffer(4)),
});

describe.each([2, 3])("a rank of %i that looks for another", (worldSize) => {
  it("works in the meantime", async () => {
    const sums = await runRanks(worldSize, task, dataFor(worldSize));
    expect(sums).toEqual(new Array(worldSize).fill(worldSize));
  });

  it("fails the group with an error in that work", async () => {
    const caught = await runRanks(worldSize, task, { ...dataFor(worldSize), message: "not that" });
    // Others may have received everything from rank 0 by then, and notice in their next call.
    expect(caught[0]).toEqual({ code: "RR_RANK_FAILED", rank: 0, message: "not that" });
  });

  it("fails the group if that work calls a collective", async () => {
    const caught = await runRanks(worldSize, task, { ...dataFor(worldSize), nests: true });
    expect(caught[0]).toMatchObject({
      code: "RR_MISMATCH",
      rank: 0,
      message: expect.stringMatching(/^rank 0 called a collective inside allReduce: /),
    });
  });
});
