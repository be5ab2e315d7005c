import { afterEach, describe, expect, it, vi } from "vitest";
import { createGroup } from "./group.js";
import { GroupMemory } from "./group-memory.js";
import { joinGroup } from "./join-group.js";
import { Rounds } from "./rounds.js";

// All ranks are in this thread, and time is simulated: on a busy machine, a thread may be scheduled as late as the
// limits that are tested here. Ranks that call a collective after rank 0 find that it has arrived, so they do not wait.

const stepTimeoutMs = 400;

/** What a rank that has joined shows on the board. */
function post({ words, layout }: GroupMemory, rank: number, shown: Shown): void {
  words[layout.joined(rank)] = 1;
  words[layout.published(rank)] = shown.published;
  if (shown.waitingFor !== undefined) words[layout.waitingFor(rank)] = 1 + shown.waitingFor;
}

interface Shown {
  readonly published: number;
  readonly waitingFor?: number;
}

/** Its ranks sleep without looking for each other first. */
const groupOf = (worldSize: number) => ({ ...createGroup({ worldSize, stepTimeoutMs }), looks: 0 });

/**
 * Makes each sleep of rank 0 last as long as it may. Meanwhile, the others `act`, given how long it has slept by then.
 */
function whileAsleep(act: (sleptMs: number) => void): { readonly sleptMs: number } {
  const time = { sleptMs: 0 };
  vi.spyOn(Atomics, "wait").mockImplementation((_words, _index, _value, timeout) => {
    time.sleptMs += timeout!;
    act(time.sleptMs);
    return "timed-out";
  });
  return time;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a rank that never arrives is RR_TIMEOUT", () => {
  it("after the timeout", () => {
    const group = groupOf(2);
    const comm = joinGroup(group, 0);
    joinGroup(group, 1);
    const time = whileAsleep(() => {});
    expect(() => comm.barrier()).toThrow(
      "rank 1 made no progress for 400 ms while rank 0 waited for it in barrier",
    );
    expect(time.sleptMs).toBeGreaterThanOrEqual(stepTimeoutMs);
    expect(time.sleptMs).toBeLessThanOrEqual(1.25 * stepTimeoutMs);
  });

  it("after at least ten seconds if it has not joined", () => {
    const comm = joinGroup(groupOf(2), 0);
    const time = whileAsleep(() => {});
    expect(() => comm.barrier()).toThrow(
      "rank 1 did not join the group for 10000 ms while rank 0 waited for it in barrier",
    );
    expect(time.sleptMs).toBeGreaterThanOrEqual(10_000);
  });

  it("and named, even if the next one also waits for it", () => {
    const group = groupOf(3);
    const memory = new GroupMemory(group);
    post(memory, 2, { published: 2 });
    post(memory, 0, { published: 1, waitingFor: 1 });
    post(memory, 1, { published: 0 });
    whileAsleep(() => {});
    const error = { code: "RR_TIMEOUT", rank: 1 };
    expect(() => new Rounds(memory, group, 2).wait(0, 2)).toThrow(expect.objectContaining(error));
  });

  it("and named, even if it died in its sleep, and whom it waited for has come since", () => {
    const group = groupOf(3);
    const memory = new GroupMemory(group);
    post(memory, 2, { published: 1 });
    post(memory, 1, { published: 0, waitingFor: 0 });
    whileAsleep(() => {});
    const error = { code: "RR_TIMEOUT", rank: 1 };
    expect(() => joinGroup(group, 0).barrier()).toThrow(expect.objectContaining(error));
  });
});

describe("not at fault is", () => {
  it("a rank that works for long and says so within each timeout", () => {
    const group = groupOf(2);
    const [comm, working] = [joinGroup(group, 0), joinGroup(group, 1)];
    let saidMs = 0;
    whileAsleep((sleptMs) => {
      if (sleptMs >= 10 * stepTimeoutMs) working.barrier();
      else if (sleptMs - saidMs >= 0.75 * stepTimeoutMs) {
        working.progress();
        saidMs = sleptMs;
      }
    });
    comm.barrier();
  });

  it("a rank whose thread starts late", () => {
    const group = groupOf(2);
    const comm = joinGroup(group, 0);
    whileAsleep((sleptMs) => {
      if (sleptMs >= 5000) joinGroup(group, 1).barrier();
    });
    comm.barrier();
  });

  it("a rank that joins late, and takes almost the whole timeout for its first step", () => {
    const group = groupOf(2);
    const comm = joinGroup(group, 0);
    let joinedMs = 0;
    let late: ReturnType<typeof joinGroup> | undefined;
    whileAsleep((sleptMs) => {
      if (late === undefined && sleptMs >= 2 * stepTimeoutMs) {
        late = joinGroup(group, 1);
        joinedMs = sleptMs;
      } else if (sleptMs - joinedMs >= 0.75 * stepTimeoutMs) late?.barrier();
    });
    comm.barrier();
  });
});
