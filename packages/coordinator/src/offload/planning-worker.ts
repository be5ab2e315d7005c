import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { exposeService } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";
import type { ThreadReport } from "./offload.js";
import { PlanningDesk } from "./planning-desk.js";

exposeService(comlink, new PlanningDesk(), workerData as MessagePort);
parentPort?.postMessage("imported" satisfies ThreadReport);
