import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { installErrorTransferHandler, portEndpoint } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";
import { TextDesk } from "./text-desk.js";

const port = workerData as MessagePort;
const desk = new TextDesk();
installErrorTransferHandler(comlink.transferHandlers);
comlink.expose(desk, portEndpoint(port));
// The thread then ends by itself, once it has received the end of what it started.
port.on("close", () => desk.end());
parentPort?.postMessage("imported");
