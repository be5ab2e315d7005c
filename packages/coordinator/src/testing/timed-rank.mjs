import comlink from "comlink";

/** A rank that loads nothing. In place of bytes its report has when it had memory to read with, and when it loaded. */
export function serveRank({ port, steps }) {
  return new Promise((resolve) => {
    let reserved;
    const end = () => {
      for (const one of [port, steps]) one.close();
      resolve();
    };
    const service = {
      reserve() {
        reserved = Number(process.hrtime.bigint());
      },
      load(_program, _options, progress) {
        progress.close();
        return { bytesRead: reserved, bytesKept: Number(process.hrtime.bigint()), sessions: 0 };
      },
      release: () => void setImmediate(end),
    };
    comlink.expose(service, port);
  });
}
