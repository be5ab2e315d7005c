import { BroadcastChannel } from "node:worker_threads";
import { expect, it, vi } from "vitest";
import { workerThreads } from "../../../../test/support/worker-threads.js";
import { shakespeareDirectory } from "../../../model/src/testing/fixtures.js";
import { prepareModel } from "../../dist/loading/prepare-model.js";
// Threads start from the build, so the build is tested.
import { Offload, planningThread } from "../../dist/offload/offload.js";
import type { TextService } from "../../dist/offload/text-service.js";
import { checkLoadOptions } from "../../dist/options/check-load-options.js";

/** The module of a text thread that reports when it is asked to open a tokenizer, and is then busy forever. */
const neverOpens = `
  import { BroadcastChannel, parentPort, workerData } from "node:worker_threads";
  parentPort.postMessage("imported");
  workerData.on("message", () => {
    new BroadcastChannel("opening").postMessage("opening");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

it("starts no thread after an abort", async () => {
  const started = vi.fn();
  const options = checkLoadOptions({ ranks: 2, signal: AbortSignal.abort("no") });
  const ranks = { start: started, reserve: async () => undefined };
  const preparing = prepareModel(shakespeareDirectory, options, ranks, undefined, {
    planning: started,
    texts: started,
  });
  await expect(preparing).rejects.toBe("no");
  expect(started).not.toHaveBeenCalled();
});

it("an abort ends planning, with its reason", async () => {
  const controller = new AbortController();
  let fail = (_: unknown): void => {};
  const planning = {
    call: () =>
      new Promise<never>((_, reject) => {
        fail = reject;
        controller.abort("too slow");
      }),
    close: async (reason: unknown) => fail(reason),
    [Symbol.asyncDispose]: async () => {},
  };
  const preparing = prepareModel(
    shakespeareDirectory,
    checkLoadOptions({ ranks: 2, signal: controller.signal }),
    { start: () => {}, reserve: async () => undefined },
    undefined,
    { planning: () => planning, texts: vi.fn() },
  );
  await expect(preparing).rejects.toBe("too slow");
});

it("an abort stops the loading of a tokenizer when everything else is done, and leaves no thread", async () => {
  const controller = new AbortController();
  const reason = new Error("too slow");
  const channel = new BroadcastChannel("opening");
  const opening = new Promise((resolve) => {
    channel.onmessage = resolve;
  });
  const prepared = await prepareModel(
    shakespeareDirectory,
    checkLoadOptions({ ranks: 2, signal: controller.signal }),
    { start: () => {}, reserve: async () => undefined },
    undefined,
    {
      planning: planningThread,
      texts: () => new Offload<TextService>("text", () => new URL(`data:text/javascript,${neverOpens}`)),
    },
  );
  await opening;
  channel.close();
  controller.abort(reason);
  await expect(prepared.texts!.isOpen).rejects.toBe(reason);
  expect(workerThreads()).toBe(0);
});
