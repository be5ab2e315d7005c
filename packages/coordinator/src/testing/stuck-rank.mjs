import { BroadcastChannel } from "node:worker_threads";
import comlink from "comlink";

/** A rank that says on the channel "loading" that it loads, and is never done. */
export function serveRank({ port, steps }) {
  return new Promise((resolve) => {
    const service = {
      reserve() {},
      load(_program, _options, progress) {
        progress.close();
        const channel = new BroadcastChannel("loading");
        channel.postMessage("loading");
        channel.close();
        return new Promise(() => {});
      },
      release: () => void setImmediate(end),
    };
    const end = () => {
      for (const one of [port, steps]) one.close();
      resolve();
    };
    comlink.expose(service, port);
  });
}
