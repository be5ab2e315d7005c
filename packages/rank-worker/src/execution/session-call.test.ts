import { expect, it } from "vitest";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import type { RunState } from "./compiled-step.js";
import { SessionCall } from "./session-call.js";

const failure = new Error("no such operator");

it.each<[string, OrtSession["run"]]>([
  [
    "at once",
    () => {
      throw failure;
    },
  ],
  ["later", () => Promise.reject(failure)],
])("a run that fails %s says in which segment, and leaves the rank outside native code", async (_, run) => {
  const lifecycle = new Lifecycle(1);
  const gate = new NativeGate(lifecycle.buffer, 0);
  const call = new SessionCall(3, { run, release() {} }, { outputs: ["y"] });
  await expect(async () => call.run({}, { gate } as RunState)).rejects.toMatchObject({
    code: "RR_GRAPH",
    message: expect.stringContaining("segment 3"),
    cause: failure,
  });
  expect(lifecycle.waitUntilOutside(0)).toBe(true);
});
