/** A rank's thread as the pool would start it: calls the task function once with what it was given. */
import { workerData } from "node:worker_threads";
import { serveRank } from "@ringrank/rank-worker/worker";

await serveRank(workerData);
