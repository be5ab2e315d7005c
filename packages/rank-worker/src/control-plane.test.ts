import type { RankProgram } from "@ringrank/policy";
import comlink from "comlink";
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
