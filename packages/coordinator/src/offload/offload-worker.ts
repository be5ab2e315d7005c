import { workerData } from "node:worker_threads";
import { installErrorTransferHandler } from "@ringrank/rank-worker";
import comlink from "comlink";
import { ModelDesk } from "./model-desk.js";

installErrorTransferHandler(comlink.transferHandlers);
comlink.expose(new ModelDesk(), workerData);
