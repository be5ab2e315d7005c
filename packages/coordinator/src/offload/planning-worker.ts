import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { installErrorTransferHandler, portEndpoint } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";
import type { ThreadReport } from "./offload.js";
import { PlanningDesk } from "./planning-desk.js";

installErrorTransferHandler(comlink.transferHandlers);
comlink.expose(new PlanningDesk(), portEndpoint(workerData as MessagePort));
parentPort?.postMessage("imported" satisfies ThreadReport);
