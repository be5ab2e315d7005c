import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createGroup, type GroupHandle, poison, runRanks } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import { describe, expect, it, vi } from "vitest";
import { type CaughtError, catchingTask } from "../testing/inline-task.js";
import { GroupMemory } from "./group-memory.js";

/** Long compared with the time in which a busy machine schedules a thread. silence.test.ts has what depends on it. */
const stepTimeoutMs = 1000;
const manyRounds = new URL("../testing/many-rounds.task.mjs", import.meta.url);
const flag = () => new Int32Array(new SharedArrayBuffer(4));

describe("a rank that never arrives", () => {
  it("is RR_TIMEOUT on the waiting ranks, with its rank", async () => {
    // Rank 1 stays away until both others have given up.
    const task = catchingTask((comm, gaveUp: Int32Array) => {
      if (comm.rank === 1) {
        while (Atomics.load(gaveUp, 0) < 2) Atomics.wait(gaveUp, 0, Atomics.load(gaveUp, 0), 1000);
        return;
      }
      try {
        comm.barrier();
      } finally {
        Atomics.add(gaveUp, 0, 1);
        Atomics.notify(gaveUp, 0);
      }
    });
    const caught = await runRanks<CaughtError[]>(3, task, flag(), { stepTimeoutMs });
    for (const rank of [0, 2]) expect(caught[rank]![0]).toMatchObject({ code: "RR_TIMEOUT", rank: 1 });
    // It arrives late, and learns why.
    expect(caught[1]![1]).toMatchObject({ code: "RR_TIMEOUT", rank: 1 });
  });

  it("is named, not the rank in between that also waits for it", async () => {
    // In a ring of three, 0 waits for 2 and 1 waits for 0, while 2 is stuck between two steps.
    const task = new URL("../testing/stuck-ring.task.mjs", import.meta.url);
    const data = { group: createGroup({ worldSize: 3, stepTimeoutMs }), gaveUp: flag() };
    const caught = await runRanks<CaughtError>(3, task, data);
    for (const error of caught) expect(error).toMatchObject({ code: "RR_TIMEOUT", rank: 2 });
  });
});

// Windows cannot stop a process this way.
it.skipIf(process.platform === "win32")(
  "a process that is stopped for longer than the timeout and then continues is not at fault",
  async () => {
    const program = fileURLToPath(new URL("../testing/stopped.mjs", import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (text) => {
      output += String(text);
    });
    await once(child.stdout, "data");
    // One that comes before the stop is not the last.
    const continuing = setInterval(() => child.kill("SIGCONT"), 1500);
    await once(child, "close");
    clearInterval(continuing);
    expect(output).toBe("stopping\n1,1\n");
  },
);

it("waits are measured if requested, and added up", async () => {
  const task = new URL("../testing/measured-waits.task.mjs", import.meta.url);
  const data = { group: createGroup({ worldSize: 2 }), lateMs: 50 };
  const [[first, both]] = (await runRanks<[number, number]>(2, task, data)) as [[number, number]];
  // A system timer may be a millisecond early.
  expect(first).toBeGreaterThan(data.lateMs - 2);
  expect(both).toBeGreaterThanOrEqual(first);
});

it.each([2, 3])(
  "poison from outside reaches all of %i ranks, asleep or not, with code, rank, message and cause",
  async (worldSize) => {
    const group = createGroup({ worldSize });
    const task = new URL("../testing/waiting.task.mjs", import.meta.url);
    const done = runRanks<CaughtError>(worldSize, task, group);
    await vi.waitFor(() => expect(sleepersAtGate(group)).toBe(worldSize - 1), { timeout: 10_000 });
    const error = new RingrankError("RR_RANK_DIED", "the last is gone: nöt coming", {
      rank: worldSize - 1,
      cause: new Error("why"),
    });
    poison(group, error);
    const seen = {
      code: "RR_RANK_DIED",
      message: "the last is gone: nöt coming",
      rank: worldSize - 1,
      cause: "why",
    };
    expect(await done).toEqual(new Array(worldSize).fill(seen));
  },
);

it.each(["ring", "two-shot"])("round counters wrap around (%s)", async (algorithm) => {
  const group = createGroup({ worldSize: 3, windowBytes: 256 });
  const { words, layout } = new GroupMemory(group);
  for (let rank = 0; rank < 3; rank++) words[layout.published(rank)] = 2 ** 31 - 20;
  expect(await runRanks(3, manyRounds, { group, algorithm, calls: 10 })).toEqual([true, true, true]);
  expect(words[layout.published(0)]).toBeLessThan(0);
});

it.each([
  [4, "ring"],
  [4, "one-shot"],
  [4, "two-shot"],
  [2, "one-shot"],
])(
  "wakes all of %i ranks that sleep in every wait, thousands of times (%s)",
  async (worldSize, algorithm) => {
    // A missed wake would cost 50 ms, so missing all would exceed the test's time.
    const group = { ...createGroup({ worldSize }), cores: 1, looks: 0 };
    const sound = await runRanks(worldSize, manyRounds, { group, algorithm, calls: 1000 });
    expect(sound).toEqual(new Array(worldSize).fill(true));
    // A publisher does not wake ranks that are awake.
    const { words, layout } = new GroupMemory(group);
    const sleepers = [...Array(worldSize).keys()].map((rank) => words[layout.sleepers(rank)]);
    expect([words[layout.gateSleepers], ...sleepers]).toEqual(new Array(worldSize + 1).fill(0));
  },
);

it("ranks that share a core yield it to one another, thousands of times", async () => {
  const group = { ...createGroup({ worldSize: 4 }), cores: 1 };
  const sound = await runRanks(4, manyRounds, { group, algorithm: "two-shot", calls: 1000 });
  expect(sound).toEqual(new Array(4).fill(true));
});

function sleepersAtGate(group: GroupHandle): number {
  const { words, layout } = new GroupMemory(group);
  return Atomics.load(words, layout.gateSleepers);
}
