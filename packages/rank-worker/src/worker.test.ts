import { once } from "node:events";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { createGroup } from "@ringrank/collectives";
import comlink from "comlink";
import { expect, test, vi } from "vitest";
import { runNode } from "../../../test/support/run-program.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { Lifecycle } from "./lifecycle.js";
import type { LoadProgress, RunRequest, StepAnswer, StepRequest } from "./protocol.js";
import { greedy } from "./testing/in-ranks.js";
import { startRankThreads } from "./testing/rank-threads.js";
import { tinyDecoder, vocabulary } from "./testing/tiny-decoder.js";
import { serveRank } from "./worker.js";

const programs = tinyDecoder({ heads: 2, worldSize: 2 });
const threads = { threads: 1 };
const request: RunRequest = {
  entry: "forward",
  inputs: { input_ids: { type: "int64", dims: [1, 3], data: BigInt64Array.of(1n, 2n, 3n) } },
  outputs: ["logits"],
  logits: "all",
};

test("a rank's thread serves calls on its port, and ends once released", async () => {
  const { services, ended } = startRankThreads(2);
  const progress: LoadProgress[] = [];
  const channels = programs.map(() => new MessageChannel());
  for (const { port1 } of channels) port1.on("message", (event: LoadProgress) => progress.push(event));
  const closed = channels.map(({ port1 }) => once(port1, "close"));
  const reports = await Promise.all(
    services.map((service, rank) => {
      const { port2 } = channels[rank]!;
      return service.load(programs[rank]!, threads, comlink.transfer(port2, [port2]));
    }),
  );
  await Promise.all(closed);
  expect(reports.map(({ bytesKept }) => bytesKept)).toEqual(programs.map(({ bytes }) => bytes));
  const [first, second] = await Promise.all(services.map((service) => service.run(request)));
  expect(first!.outputs.logits!.dims).toEqual([1, 3, vocabulary]);
  expect(second!.outputs).toEqual({});
  expect(progress.filter(({ bytesLoaded, bytesTotal }) => bytesLoaded === bytesTotal)).toHaveLength(2);
  await Promise.all(services.map((service) => service.release()));
  expect(await ended).toEqual([0, 0]);
});

test("steps that arrive ahead of time are processed in order, and only rank 0 answers them", async () => {
  const { services, steps, ended } = startRankThreads(2);
  await Promise.all(services.map((service, rank) => service.load(programs[rank]!, threads)));
  const requests: StepRequest[] = [
    { close: [], rows: [{ sequence: 1, ids: [1, 2, 3], want: "token", sampling: greedy }] },
    { close: [], rows: [{ sequence: 1, want: "next" }] },
    { close: [1], rows: [] },
  ];
  const answers: StepAnswer[] = [];
  const all = new Promise<void>((resolve) => {
    steps[0]!.on("message", (answer: StepAnswer) => {
      if (answers.push(answer) === requests.length) resolve();
    });
  });
  const others: StepAnswer[] = [];
  steps[1]!.on("message", (answer: StepAnswer) => others.push(answer));
  for (const request of requests) for (const port of steps) port.postMessage(request);
  await all;
  expect(answers).toMatchObject([
    { result: { rows: [{ token: expect.any(Number) }], counters: { steps: 1, tokens: 3 } } },
    { result: { rows: [{ token: expect.any(Number) }], counters: { steps: 2, tokens: 4 } } },
    { result: { rows: [], counters: { steps: 2, tokens: 4 } } },
  ]);
  await Promise.all(services.map((service) => service.release()));
  expect(await ended).toEqual([0, 0]);
  expect(others).toEqual([]);
});

test("loads no native code of ONNX Runtime before the rank can announce that it is inside", async () => {
  // A thread may be terminated while it imports its module, and terminating one inside native code ends the process.
  const libraries = "process.report.getReport().sharedObjects.filter((file) => file.includes('onnxruntime'))";
  const script = `await import("@ringrank/rank-worker/worker"); const before = ${libraries};
    await import("onnxruntime-node"); console.log(before.length, ${libraries}.length > 0);`;
  const { stdout, stderr } = await runNode(["--input-type=module", "--eval", script]);
  expect(stderr).toBe("");
  expect(stdout).toBe("0 true\n");
});

test("a rank ends by itself if its port closes", async () => {
  const { services, ended, closePorts } = startRankThreads(1);
  await services[0]!.load(tinyDecoder({ heads: 2, worldSize: 1 })[0]!, threads);
  closePorts();
  expect(await ended).toEqual([0]);
});

test.each(["while it begins", "before it begins"])("a rank also ends if its port closes %s", async (when) => {
  const [control, steps] = [new MessageChannel(), new MessageChannel()];
  if (when === "before it begins") {
    control.port1.close();
    await once(control.port2, "close");
  }
  const served = serveRank({
    rank: 0,
    group: createGroup({ worldSize: 1 }),
    port: control.port2,
    steps: steps.port2,
    lifecycle: new Lifecycle(1).buffer,
    logLevel: "silent",
  });
  control.port1.close();
  expect(await served).toBeUndefined();
});

test("warns of a trace that could not be written, since nothing else says so", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue(undefined);
  const [control, steps] = [new MessageChannel(), new MessageChannel()];
  const served = serveRank({
    rank: 0,
    group: createGroup({ worldSize: 1 }),
    port: control.port2,
    steps: steps.port2,
    lifecycle: new Lifecycle(1).buffer,
    logLevel: "silent",
    trace: { path: join(temporaryDirectory(), "absent", "trace.json"), origin: 0 },
  });
  control.port1.close();
  await served;
  const incomplete = expect.stringMatching(/^the trace of rank 0 is not complete: ENOENT/);
  expect(warn.mock.calls).toEqual([[incomplete, { type: "RingrankWarning" }]]);
  warn.mockRestore();
});

test("an error arrives with its code, rank and cause, and a waiting peer rejects with the same one", async () => {
  const { services, ended } = startRankThreads(2);
  await Promise.all(services.map((service, rank) => service.load(programs[rank]!, threads)));
  // Rank 1 fails before the collective in which rank 0 waits for it.
  const [waiting, failing] = await Promise.allSettled([
    services[0]!.run(request),
    services[1]!.run({ ...request, entry: "backward" }),
  ]);
  const failure = { name: "RingrankError", code: "RR_RANK_FAILED", rank: 1 };
  expect(failing).toMatchObject({ status: "rejected", reason: { ...failure, cause: { code: "RR_INPUT" } } });
  expect(waiting).toMatchObject({
    status: "rejected",
    reason: { ...failure, message: expect.stringContaining("backward") },
  });
  await Promise.all(services.map((service) => service.release()));
  expect(await ended).toEqual([0, 0]);
});

test("refuses a program that uses a weight it does not contain, by the weight's name", async () => {
  const { services, ended } = startRankThreads(1);
  const [program] = tinyDecoder({ heads: 2, worldSize: 1 });
  const { wq: _, ...weights } = program!.weights;
  await expect(services[0]!.load({ ...program!, weights }, threads)).rejects.toMatchObject({
    code: "RR_RANK_FAILED",
    rank: 0,
    cause: { code: "RR_POLICY", message: expect.stringContaining("wq") },
  });
  await services[0]!.release();
  expect(await ended).toEqual([0]);
});

test("after a stop, no rank enters native code again, and all still end", async () => {
  const { services, lifecycle, ended } = startRankThreads(1);
  const [program] = tinyDecoder({ heads: 2, worldSize: 1 });
  await services[0]!.load(program!, threads);
  lifecycle.stop();
  expect(lifecycle.waitUntilOutside(5000)).toBe(true);
  await expect(services[0]!.run(request)).rejects.toMatchObject({ code: "RR_CLOSED" });
  await services[0]!.release();
  expect(await ended).toEqual([0]);
});
