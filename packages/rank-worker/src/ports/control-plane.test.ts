import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import type { RankProgram } from "@ringrank/policy";
import comlink from "comlink";
import { expect, test } from "vitest";
import type { LoadReport, RankControl, RankService } from "../protocol.js";
import { controlledService } from "./control-plane.js";
import { portEndpoint } from "./port-endpoint.js";

const options = { threads: 1 };
const program = {} as RankProgram;

test.each<[string, () => Promise<LoadReport>]>([
  ["has loaded", async () => ({ bytesKept: 0, bytesInMemory: 0, bytesRead: 0, sessions: 0 })],
  ["has failed to load", () => Promise.reject(new Error("no such file"))],
])("posts progress, and closes its port once a rank %s", async (_, load) => {
  const progress = { rank: 0, bytesLoaded: 1, bytesTotal: 1 };
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  port1.on("message", (message) => received.push(message));
  const closed = once(port1, "close");
  const service: Partial<RankService> = {
    load: (_program, _options, onProgress) => {
      onProgress?.(progress);
      return load();
    },
  };
  const controlled = controlledService(service as RankService, () => {});
  await Promise.allSettled([controlled.load(program, options, port2)]);
  await closed;
  expect(received).toEqual([progress]);
});

test("outputs that share memory cross to the other thread", async () => {
  const data = Float32Array.of(1, 2);
  const output = { type: "float32", dims: [2], data } as const;
  const service: Partial<RankService> = { run: async () => ({ outputs: { x: output, same: output } }) };
  const { port1, port2 } = new MessageChannel();
  comlink.expose(
    controlledService(service as RankService, () => {}),
    portEndpoint(port1),
  );
  const remote = comlink.wrap<RankControl>(portEndpoint(port2));
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
