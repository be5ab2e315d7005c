import { MessageChannel } from "node:worker_threads";
import type { RankProgram } from "@ringrank/policy";
import comlink, { type Endpoint } from "comlink";
import { expect, test, vi } from "vitest";
import { controlledService } from "./control-plane.js";
import type { LoadReport, RankService } from "./protocol.js";

const options = { threads: 1 };
const program = {} as RankProgram;

test.each<[string, () => Promise<LoadReport>]>([
  ["has loaded", async () => ({ bytesKept: 0, bytesRead: 0, sessions: 0 })],
  ["has failed to load", () => Promise.reject(new Error("no such file"))],
])("closes the port of the progress callback once a rank %s, not before", async (_, load) => {
  const close = vi.fn();
  const onProgress = Object.assign(() => {}, { [comlink.releaseProxy]: close });
  const service: Partial<RankService> = {
    load: (_program, _options, given) => {
      expect(given).toBe(onProgress);
      expect(close).not.toHaveBeenCalled();
      return load();
    },
  };
  const controlled = controlledService(service as RankService, () => {});
  await Promise.allSettled([controlled.load(program, options, onProgress)]);
  expect(close).toHaveBeenCalledOnce();
});

test("outputs that share memory cross to the other thread", async () => {
  const data = Float32Array.of(1, 2);
  const output = { type: "float32", dims: [2], data } as const;
  const service: Partial<RankService> = { run: async () => ({ outputs: { x: output, same: output } }) };
  const { port1, port2 } = new MessageChannel();
  comlink.expose(
    controlledService(service as RankService, () => {}),
    port1 as unknown as Endpoint,
  );
  const remote = comlink.wrap<RankService>(port2 as unknown as Endpoint);
  const { outputs } = await remote.run({
    entry: "forward",
    inputs: {},
    outputs: ["x", "same"],
    logits: "all",
  });
  port1.close();
  expect(outputs).toEqual({
    x: { ...output, data: Float32Array.of(1, 2) },
    same: { ...output, data: Float32Array.of(1, 2) },
  });
});
