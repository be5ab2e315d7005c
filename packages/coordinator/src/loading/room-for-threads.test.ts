// Threads start from the build, so the build is tested.
import { demoModel } from "ringrank";
import { expect, it } from "vitest";
import { loadModelOn } from "../../dist/loading/load-model.js";
import { ownThreads } from "../../dist/loading/prepare-model.js";
import { requireRoomForThreads } from "./room-for-threads.js";

/** Two ranks of five sessions each. */
const programs = [0, 1].map(() => ({ segments: new Array(5).fill({}) }));

it("each session needs a thread less than its rank has", () => {
  requireRoomForThreads(programs, 4, () => 30);
  expect(() => requireRoomForThreads(programs, 4, () => 29)).toThrow(
    expect.objectContaining({
      code: "RR_OPTION",
      message:
        "threadsPerRank: expected at most 3, got 4: the model's 10 sessions, of all ranks together, need 30 more " +
        "threads, and the system allows 29 (ulimit -u, a container's pids)",
    }),
  );
});

it("one thread per rank needs no others", () => {
  requireRoomForThreads(programs, 1, () => 0);
});

it("a user who already has more threads than are allowed may load with one per rank", () => {
  expect(() => requireRoomForThreads(programs, 2, () => -25)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/expected at most 1,.*allows 0 /) }),
  );
});

it("a load is refused before ONNX Runtime starts threads, and leaves nothing behind", async () => {
  const threads = { ...ownThreads, left: () => 3 };
  await expect(loadModelOn(threads, demoModel, { ranks: 2, threadsPerRank: 4 })).rejects.toMatchObject({
    code: "RR_OPTION",
    message: expect.stringContaining("the system allows 3 "),
  });
});
