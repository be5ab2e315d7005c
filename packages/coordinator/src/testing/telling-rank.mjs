import comlink from "comlink";

/**
 * A rank that loads nothing, and reports what it was given instead of what it holds. When it is released, it says that it
 * has loaded more than there is.
 */
export function serveRank({ port, steps, group, logLevel, hugePages }) {
  return new Promise((resolve) => {
    let telling;
    const end = () => {
      telling.postMessage({ rank: 0, bytesLoaded: Number.POSITIVE_INFINITY, bytesTotal: 0 });
      for (const one of [port, steps, telling]) one.close();
      resolve();
    };
    const service = {
      reserve() {},
      load(_program, { threads, scratchFolder }, progress) {
        telling = progress;
        const { stepTimeoutMs, wire } = group;
        return { threads, scratchFolder, logLevel, hugePages, stepTimeoutMs, wire };
      },
      release: () => void setImmediate(end),
    };
    comlink.expose(service, port);
  });
}
