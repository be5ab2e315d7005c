import comlink from "comlink";

/** A rank that loads nothing, and reports what it was given instead of what it holds. */
export function serveRank({ port, steps, group, logLevel, hugePages }) {
  return new Promise((resolve) => {
    const end = () => {
      for (const one of [port, steps]) one.close();
      resolve();
    };
    const service = {
      reserve() {},
      load(_program, { threads }, progress) {
        progress.close();
        const { stepTimeoutMs, wire } = group;
        return { threads, logLevel, hugePages, stepTimeoutMs, wire };
      },
      release: () => void setImmediate(end),
    };
    comlink.expose(service, port);
  });
}
