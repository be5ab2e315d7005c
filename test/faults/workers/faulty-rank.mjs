import { MessageChannel } from "node:worker_threads";
import { serveRank } from "@ringrank/rank-worker/worker";

/**
 * A rank's worker that works as it should, but for one thing: `fault` happens on `rank` when its `step`-th step
 * (1 is the first) is asked for, just before the rank sees the request.
 */
export function faultyRank({ rank, step }, fault) {
  return (task) => {
    if (task.rank !== rank) return serveRank(task);
    return serveRank({ ...task, steps: withFault(task.steps, step, fault) });
  };
}

/** A port that passes on what `port` gets, and the answers back. */
function withFault(port, step, fault) {
  const { port1, port2 } = new MessageChannel();
  let steps = 0;
  port.on("message", (request) => {
    if (++steps === step) fault(request);
    port1.postMessage(request);
  });
  port1.on("message", (answer) => port.postMessage(answer));
  port1.on("close", () => port.close());
  return port2;
}
