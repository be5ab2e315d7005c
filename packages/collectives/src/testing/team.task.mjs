/** One rank of a {@link RankTeam}: joins groups and performs collectives as it is told, until it is told to stop. */
import { BroadcastChannel } from "node:worker_threads";
import { joinGroup } from "@ringrank/collectives";

export function run({ rank }, { channel: name }) {
  const channel = new BroadcastChannel(name);
  const groups = new Map();
  const obey = {
    join({ group, handle, algorithm, kernels }) {
      groups.set(group, joinGroup(handle, rank, { algorithm, kernels: kernels?.[rank] }));
    },
    perform({ group, calls }) {
      for (const call of calls) perform(groups.get(group), call);
    },
  };
  return new Promise((resolve) => {
    channel.onmessage = ({ data: order }) => {
      if (!order.to?.includes("ranks")) return;
      if (order.kind === "stop") {
        channel.close();
        resolve();
        return;
      }
      const done = { id: order.id, rank };
      try {
        obey[order.kind](order);
      } catch (error) {
        done.error = error.toData();
      }
      channel.postMessage(done);
    };
    channel.postMessage({ id: 0, rank });
  });
}

/** `inputs` and `outputs` are shared arrays of one row per rank; `lengths` has each rank's length in the inputs. */
function perform(comm, { collective, operation, counts, root, wire, lengths, inputs, outputs, outLengths }) {
  const own = rowOf(inputs, lengths, comm.rank).slice();
  const results = {
    allReduce: () => comm.allReduce(own, operation, { wire }),
    allGather: () => comm.allGather(own, { counts }),
    reduceScatter: () => comm.reduceScatter(own, { operation, counts }),
    broadcast: () => comm.broadcast(own, root),
    barrier: () => own,
  };
  if (collective === "barrier") comm.barrier();
  rowOf(outputs, outLengths, comm.rank).set(results[collective]());
}

function rowOf(rows, lengths, rank) {
  const start = lengths.slice(0, rank).reduce((sum, length) => sum + length, 0);
  return rows.subarray(start, start + lengths[rank]);
}
