/**
 * A process that ends itself while a rank is inside native code. Its parent sends the program and a run that takes
 * long; whether an exit listener asks the rank to stop is the parent's choice.
 */
import { MessageChannel, Worker } from "node:worker_threads";
import { createGroup } from "@ringrank/collectives";
import comlink from "comlink";
import { Lifecycle } from "../../dist/lifecycle.js";

process.once("message", async ({ program, request, exitCode }) => {
  const lifecycle = new Lifecycle(1);
  const { port1, port2 } = new MessageChannel();
  const { port2: steps } = new MessageChannel();
  new Worker(new URL("./rank-thread.mjs", import.meta.url), {
    workerData: {
      rank: 0,
      group: createGroup({ worldSize: 1 }),
      port: port2,
      steps,
      lifecycle: lifecycle.buffer,
    },
    transferList: [port2, steps],
  });
  process.on("exit", () => {
    lifecycle.stop();
    if (!lifecycle.waitUntilOutside(10_000)) process.stderr.write("a rank stayed inside");
  });
  const service = comlink.wrap(port1);
  await service.load(program, { threads: 1 });
  // Again and again, in case this thread gets no turn while one lasts.
  const run = () => service.run(request).then(run, () => {});
  void run();
  const words = new Int32Array(lifecycle.buffer);
  const exitOnceInside = () => {
    if (Atomics.load(words, 1) === 1) process.exit(exitCode);
    setImmediate(exitOnceInside);
  };
  exitOnceInside();
});
