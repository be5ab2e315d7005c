import type { MessagePort } from "node:worker_threads";
import { installErrorTransferHandler, portEndpoint } from "@ringrank/rank-worker/comlink";
import comlink from "comlink";

/**
 * A service as seen from another thread: every method returns a promise. comlink's own type is more exact, but requires
 * the DOM's types of everyone who compiles against ours.
 */
export type Remote<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/**
 * The caller's end of a comlink service on another thread. comlink by itself never settles a call whose thread has
 * died; here every call ends when the connection does.
 */
export class Connection<Service> {
  readonly #port: MessagePort;
  readonly #remote: Remote<Service>;
  readonly #release: () => void;
  /** Rejects each call that has not been answered. */
  readonly #pending = new Set<(reason: unknown) => void>();
  #end: { readonly reason: unknown } | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    installErrorTransferHandler(comlink.transferHandlers);
    const proxy = comlink.wrap(portEndpoint(port));
    this.#remote = proxy as Remote<Service>;
    this.#release = () => proxy[comlink.releaseProxy]();
    port.unref();
  }

  /** Calls the service. A pending call keeps the process alive. */
  call<Result>(use: (remote: Remote<Service>) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end.reason;
      this.#port.ref();
      this.#pending.add(reject);
      const settled = (): void => {
        if (this.#pending.delete(reject) && this.#pending.size === 0) this.#port.unref();
      };
      use(this.#remote).then(
        (result) => {
          settled();
          resolve(result);
        },
        (error) => {
          settled();
          reject(error);
        },
      );
    });
  }

  /** Rejects every pending call, and every later one, with `reason`. A second close has no effect. */
  close(reason: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    for (const reject of this.#pending) reject(reason);
    this.#pending.clear();
    this.#port.close();
    // A call that is never answered would otherwise keep the port, itself and everything that waits for it forever:
    // comlink holds a port until its proxy is collected, and the port holds the call, which holds the proxy.
    this.#release();
  }
}
