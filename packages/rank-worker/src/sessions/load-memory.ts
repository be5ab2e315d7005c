import { ShardReader } from "@ringrank/model/weights";
import { MatrixHome } from "../kernels/matrix-home.js";
import type { RankLog } from "../logging.js";
import { pieceBytes } from "../weight-files/write-weight.js";

/**
 * The memories of WebAssembly that a load takes, each of which wants more addresses than a system need give. That of
 * reading comes first: a rank can do without kernels, but not without reading.
 */
export class LoadMemory {
  readonly reader = new ShardReader({ scratchBytes: pieceBytes });
  readonly #log: RankLog;
  #home: MatrixHome | undefined;

  /** @throws RR_ADDRESS_SPACE where the system gives no memory to read with */
  constructor(log: RankLog) {
    this.#log = log;
  }

  /**
   * Where matrices of the rank's own products go.
   *
   * @param wantsKernels whether the rank computes anything itself
   */
  home(wantsKernels: boolean): MatrixHome {
    const log = this.#log;
    this.#home ??= wantsKernels ? MatrixHome.withKernels({ log }) : new MatrixHome(undefined, { log });
    return this.#home;
  }
}
