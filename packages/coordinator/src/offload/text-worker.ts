import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { exposeService } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";
import type { ThreadReport } from "./offload.js";
import { TextDesk } from "./text-desk.js";

const port = workerData as MessagePort;
const report = (what: ThreadReport): void => parentPort?.postMessage(what);
const desk = new TextDesk(() => report("starts a process"));
exposeService(comlink, desk, port);
// The thread then ends by itself, once it has received the end of what it started.
port.on("close", () => desk.end());
report("imported");
