import { expect, it, vi } from "vitest";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import { tensor } from "../tensors/tensor.js";
import { SessionCall } from "./session-call.js";
import type { RunState } from "./steps/compiled-step.js";

const failure = new Error("no such operator");

it.each<[string, OrtSession["run"]]>([
  [
    "at once",
    () => {
      throw failure;
    },
  ],
  ["later", () => Promise.reject(failure)],
])(
  "the error of a run that fails %s names the segment, and the rank is outside native code",
  async (_, run) => {
    const lifecycle = new Lifecycle(1);
    const gate = new NativeGate(lifecycle.buffer, 0);
    const call = new SessionCall(3, { run, release() {} }, { outputs: ["y"] });
    await expect(async () => call.run({}, { gate } as RunState)).rejects.toMatchObject({
      code: "RR_GRAPH",
      message: expect.stringContaining("segment 3"),
      cause: failure,
    });
    expect(lifecycle.waitUntilOutside(0)).toBe(true);
  },
);

it.each([[["y"]], [["y", "z"]]])(
  "allocates those of the outputs %j for which no tensor is given",
  async (outputs) => {
    const run = vi.fn(() => ({}));
    const gate = new NativeGate(new Lifecycle(1).buffer, 0);
    const y = tensor("float32", new Float32Array(1), [1]);
    await new SessionCall(0, { run, release() {} }, { outputs }).run({}, { gate } as RunState, { y });
    expect(run).toHaveBeenCalledWith({}, { ...Object.fromEntries(outputs.map((name) => [name, null])), y });
  },
);
