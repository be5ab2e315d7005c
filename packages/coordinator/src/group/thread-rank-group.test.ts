import type { RankProgram } from "@ringrank/policy";
import { pino } from "pino";
import { expect, it } from "vitest";
// Threads are started from the build, so the build is what is tested.
import { ThreadRankGroup } from "../../dist/group/thread-rank-group.js";

it("loads no rank before all have the memory that they read with", async () => {
  const group = new ThreadRankGroup({
    worldSize: 3,
    workerUrl: new URL("../testing/timed-rank.mjs", import.meta.url).href,
    stepTimeoutMs: 10_000,
    wire: "float32",
    logger: pino({ level: "silent" }),
    trace: undefined,
  });
  const nothing = {} as RankProgram;
  const options = { threads: 1, scratchFolder: undefined, cachedShard: undefined };
  await group.load(
    [nothing, nothing, nothing],
    () => options,
    () => {},
  );
  const reserved = group.reports.map(({ bytesRead }) => bytesRead);
  const loaded = group.reports.map(({ bytesKept }) => bytesKept);
  expect(Math.max(...reserved)).toBeLessThan(Math.min(...loaded));
  await group.close();
});
