import { setImmediate } from "node:timers/promises";
import workerThreads, { MessageChannel } from "node:worker_threads";
import { createGroup } from "@ringrank/collectives";
import type { RingrankError } from "@ringrank/errors";
import { Lifecycle } from "@ringrank/rank-worker";
import { expect, it, onTestFinished, vi } from "vitest";
import { loggerOf } from "../logger.js";
import { RankThreads } from "./rank-threads.js";

it.each([
  ["EAGAIN", "EAGAIN. Raise how many threads the system"],
  [
    "Worker initialization failure: EMFILE",
    "Worker initialization failure: EMFILE. Raise how many files the system",
  ],
])("ranks whose threads do not start (%s) count as dead, without unhandled rejections", async (why, text) => {
  const starting = vi.spyOn(workerThreads, "Worker").mockImplementation(
    class {
      constructor() {
        throw Object.assign(new Error(why), { code: "ERR_WORKER_INIT_FAILED" });
      }
    } as never,
  );
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", hear);
  onTestFinished(() => {
    process.off("unhandledRejection", hear);
    starting.mockRestore();
  });
  const group = createGroup({ worldSize: 2 });
  const lifecycle = new Lifecycle(2).buffer;
  const tasks = [0, 1].map((rank) => {
    const [port, steps] = [new MessageChannel().port1, new MessageChannel().port1];
    return { rank, group, lifecycle, port, steps, logLevel: "silent" as const, trace: undefined };
  });
  const ends: (RingrankError | undefined)[] = [];
  const logger = await loggerOf(undefined);
  const threads = new RankThreads(tasks, { workerUrl: undefined, logger }, (_, error) => ends.push(error));
  await threads.ended();
  await threads.destroy();
  await setImmediate();
  const messages = ends.map((error) => error?.message);
  expect(messages).toEqual(
    [0, 1].map((rank) => expect.stringMatching(`^the thread of rank ${rank} ended: ${text}`)),
  );
  expect(unhandled).toEqual([]);
});
