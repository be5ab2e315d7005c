import { fork } from "node:child_process";
import { join } from "node:path";
import { kernelFlags } from "@ringrank/webassembly";

const host = new URL("./contestant-host.mjs", import.meta.url);

/**
 * A contestant in a separate process, so that the memory and threads of others do not affect its figures, and a crash
 * affects no others.
 */
export class ContestantProcess {
  #child;
  #waiting = new Map();
  #nextCall = 0;
  #ended;
  #stderr = "";

  /** @param caches a directory for what contestants cache between loads; default: their own default */
  constructor(caches) {
    this.#child = fork(host, {
      // The `ringrank` command also sets these for itself.
      execArgv: [...kernelFlags],
      env: {
        ...process.env,
        ...(caches && { XDG_CACHE_HOME: caches, RINGRANK_CACHE: join(caches, "ringrank") }),
      },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#child.stderr.on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    this.#child.on("message", ({ id, value, error }) => {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (error === undefined) resolve?.(value);
      else reject?.(new Error(error));
    });
    this.#child.on("exit", (code, signal) => {
      this.#ended = new Error(
        `its process ended with ${signal ?? code}. ${this.#stderr.trim().split("\n").slice(-3).join(" ")}`,
      );
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    });
  }

  /**
   * Calls the contestant and waits for at most `limit` milliseconds, after which its process is ended.
   *
   * @throws its error
   */
  call(name, args = [], limit = 900_000) {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${name} took longer than ${limit / 1000} s`));
        this.#child.kill("SIGKILL");
      }, limit);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        done(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#child.send({ id, call: name, args });
    });
  }

  /**
   * Closes the contestant. Its process ends whether or not that succeeds.
   *
   * @returns its peak memory in bytes
   * @throws an error of closing
   */
  async close() {
    try {
      return await this.call("close", [], 30_000);
    } finally {
      this.end();
    }
  }

  /** Ends the process if it has no contestant to close. */
  end() {
    this.#child.kill("SIGKILL");
  }
}
