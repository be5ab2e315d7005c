import { serveRank } from "@ringrank/rank-worker/worker";

/**
 * A rank's worker that works as it should, but for one thing: `fault` happens on `rank` when its `step`-th step
 * (1 is the first) is asked for, just before the rank sees the request.
 */
export function faultyRank({ rank, step }, fault) {
  return (task) => {
    if (task.rank === rank) beforeStep(task.port, step, fault);
    return serveRank(task);
  };
}

function beforeStep(port, step, fault) {
  let steps = 0;
  const addEventListener = port.addEventListener.bind(port);
  // A listener of our own any earlier would start the port, and the rank would miss its first messages.
  port.addEventListener = (type, listener) => {
    if (type === "message") {
      addEventListener(type, ({ data }) => {
        if (data.path?.at(-1) === "step" && ++steps === step) fault(data.argumentList[0].value);
      });
    }
    addEventListener(type, listener);
  };
}
