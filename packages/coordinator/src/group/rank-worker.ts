/** The module a rank's thread is started with, unless `workerUrl` names another. */
export { serveRank } from "@ringrank/rank-worker/worker";
