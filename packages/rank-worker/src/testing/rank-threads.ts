import { once } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { createGroup } from "@ringrank/collectives";
import comlink, { type Remote } from "comlink";
import { Lifecycle } from "../lifecycle.js";
import { installErrorTransferHandler } from "../ports/error-transfer.js";
import { portEndpoint } from "../ports/port-endpoint.js";
import type { RankControl } from "../protocol.js";

/** Ranks on threads of their own, each with its control plane. */
interface RankThreads {
  readonly services: readonly Remote<RankControl>[];
  /** By rank: the port for steps and answers. */
  readonly steps: readonly MessagePort[];
  readonly lifecycle: Lifecycle;
  /** Exit codes, once every thread has ended on its own. */
  readonly ended: Promise<number[]>;
  /** Closes the control plane without a release. */
  closePorts(): void;
}

export function startRankThreads(worldSize: number): RankThreads {
  installErrorTransferHandler(comlink.transferHandlers);
  const group = createGroup({ worldSize });
  const lifecycle = new Lifecycle(worldSize);
  const ends = Array.from({ length: worldSize }, (_, rank) => {
    const { port1, port2 } = new MessageChannel();
    const { port1: steps, port2: rankSteps } = new MessageChannel();
    const worker = new Worker(new URL("./rank-thread.mjs", import.meta.url), {
      workerData: { rank, group, port: port2, steps: rankSteps, lifecycle: lifecycle.buffer },
      transferList: [port2, rankSteps],
    });
    return { port: port1, steps, exit: once(worker, "exit").then(([code]) => Number(code)) };
  });
  return {
    services: ends.map(({ port }) => comlink.wrap<RankControl>(portEndpoint(port))),
    lifecycle,
    ended: Promise.all(ends.map(({ exit }) => exit)),
    steps: ends.map(({ steps }) => steps),
    closePorts: () => {
      for (const { port, steps } of ends) {
        port.close();
        steps.close();
      }
    },
  };
}
