import { parentPort, workerData } from "node:worker_threads";
import { installErrorTransferHandler } from "@ringrank/rank-worker/error-transfer";
import comlink from "comlink";
import { PlanningDesk } from "./planning-desk.js";

installErrorTransferHandler(comlink.transferHandlers);
comlink.expose(new PlanningDesk(), workerData);
parentPort?.postMessage("imported");
