import { parentPort, workerData } from "node:worker_threads";
import { installErrorTransferHandler } from "@ringrank/rank-worker/error-transfer";
import comlink from "comlink";
import { TextDesk } from "./text-desk.js";

installErrorTransferHandler(comlink.transferHandlers);
comlink.expose(new TextDesk(), workerData);
parentPort?.postMessage("imported");
