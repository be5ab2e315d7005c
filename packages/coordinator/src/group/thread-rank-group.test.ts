import { BroadcastChannel } from "node:worker_threads";
import type { RankProgram } from "@ringrank/policy";
import { type Logger, pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
// Threads start from the build, so the build is tested.
import { ThreadRankGroup } from "../../dist/group/thread-rank-group.js";

function startRanks(worker: string, logger: Logger, stepTimeoutMs = 10_000): ThreadRankGroup {
  return new ThreadRankGroup({
    worldSize: 3,
    workerUrl: new URL(worker, import.meta.url).href,
    stepTimeoutMs,
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

it("has more patience with a rank that loads than with one that computes a step", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const channel = new BroadcastChannel("loading");
  const areLoading = new Promise<void>((resolve) => {
    let loading = 0;
    channel.onmessage = () => {
      if (++loading === 3) resolve();
    };
  });
  const group = startRanks("../testing/stuck-rank.mjs", pino({ level: "silent" }), 100);
  const failed = expect(loadNothing(group)).rejects.toMatchObject({ code: "RR_TIMEOUT" });
  await areLoading;
  channel.close();
  vi.advanceTimersByTime(59_000);
  expect(group.failure).toBeUndefined();
  vi.advanceTimersByTime(20_000);
  await failed;
  await group.close();
});
