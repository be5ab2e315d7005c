import type { RankProgram } from "@ringrank/policy";
import { type Logger, pino } from "pino";
import { expect, it, vi } from "vitest";
// Threads start from the build, so the build is tested.
import { ThreadRankGroup } from "../../dist/group/thread-rank-group.js";

function startRanks(worker: string, logger: Logger): ThreadRankGroup {
  return new ThreadRankGroup({
    worldSize: 3,
    workerUrl: new URL(worker, import.meta.url).href,
    stepTimeoutMs: 10_000,
    wire: "float32",
    logger,
    trace: undefined,
  });
}

function loadNothing(group: ThreadRankGroup): Promise<void> {
  const nothing = {} as RankProgram;
  const options = { threads: 1, scratchFolder: undefined, cachedShard: undefined };
  return group.load(
    [nothing, nothing, nothing],
    () => options,
    () => {},
  );
}

it("loads no rank before all have the memory for reading", async () => {
  const group = startRanks("../testing/timed-rank.mjs", pino({ level: "silent" }));
  await loadNothing(group);
  const reserved = group.reports.map(({ bytesRead }) => bytesRead);
  const loaded = group.reports.map(({ bytesKept }) => bytesKept);
  expect(Math.max(...reserved)).toBeLessThan(Math.min(...loaded));
  await group.close();
});

it("ends when a rank dies even if the logger throws, which becomes a Node warning", async () => {
  const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const write = (): void => {
    throw new Error("no space left on device");
  };
  const group = startRanks("./no-such-module.mjs", pino({ level: "error" }, { write }));
  await expect(loadNothing(group)).rejects.toMatchObject({ code: "RR_RANK_DIED" });
  await group.close();
  const warning = expect.stringContaining("the logger failed: no space left on device");
  expect(emitWarning).toHaveBeenCalledWith(warning, { type: "RingrankWarning" });
  emitWarning.mockRestore();
});
