import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { gate } from "../testing/fake-rank-group.js";
import { shutDown } from "./shut-down.js";

/** Threads whose tasks end when told to, and ranks that are inside native code until told otherwise. */
class FakeThreads {
  readonly events: string[] = [];
  readonly #end = gate();
  running = 2;
  isInside = true;

  end(): void {
    this.running = 0;
    this.#end.open();
  }

  ended = (): Promise<void> => this.#end.opened;

  destroy = async (): Promise<void> => {
    if (this.running > 0 && this.isInside) throw new Error("this aborts the process");
    this.events.push("destroyed");
  };

  start(ranks: "beginning" | "serving" | "stuck"): Promise<void> {
    return shutDown({
      connections: [],
      lifecycle: {
        stop: () => this.events.push("stop"),
        waitUntilOutside: () => !this.isInside,
      },
      threads: this,
      logger: pino({ level: "silent" }),
      ranks,
      onGone: () => this.events.push("gone"),
    });
  }
}

let threads: FakeThreads;
beforeEach(() => {
  vi.useFakeTimers();
  threads = new FakeThreads();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("ends threads whose ranks have released their sessions, without the stop word", async () => {
  const done = threads.start("serving");
  threads.end();
  await done;
  expect(threads.events).toEqual(["destroyed", "gone"]);
});

it("stops ranks that do not end in time, and ends threads that loop outside native code", async () => {
  threads.isInside = false;
  const done = threads.start("serving");
  await vi.advanceTimersByTimeAsync(3_000);
  await done;
  expect(threads.events).toEqual(["stop", "destroyed", "gone"]);
});

it("lets starting ranks finish their imports, so that no file stays open", async () => {
  threads.isInside = false;
  const done = threads.start("beginning");
  await vi.advanceTimersByTimeAsync(900);
  expect(threads.events).toEqual(["stop"]);
  threads.end();
  await done;
  expect(threads.events).toEqual(["stop", "destroyed", "gone"]);
});

it("waits for a native call to return", async () => {
  const done = threads.start("stuck");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(threads.events).toEqual(["stop"]);
  threads.isInside = false;
  await vi.advanceTimersByTimeAsync(10);
  await done;
  expect(threads.events).toEqual(["stop", "destroyed", "gone"]);
});

it("waits no shorter if the process is stopped meanwhile", async () => {
  const clock = vi.spyOn(performance, "now");
  const done = threads.start("stuck");
  clock.mockReturnValue(3_600_000);
  await vi.advanceTimersByTimeAsync(9_000);
  threads.isInside = false;
  await vi.advanceTimersByTimeAsync(10);
  await done;
  expect(threads.events).toEqual(["stop", "destroyed", "gone"]);
});

it("keeps the process alive while it waits for a native call, so that callers learn of the end", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout");
  const done = threads.start("stuck");
  expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([true]);
  threads.end();
  await vi.advanceTimersByTimeAsync(10);
  await done;
});

it("settles even if a native call does not return, and ends the threads when it does", async () => {
  const done = threads.start("stuck");
  await vi.advanceTimersByTimeAsync(11_000);
  await done;
  expect(threads.events).toEqual(["stop"]);
  threads.isInside = false;
  await vi.advanceTimersByTimeAsync(10);
  expect(threads.events).toEqual(["stop", "destroyed", "gone"]);
});
