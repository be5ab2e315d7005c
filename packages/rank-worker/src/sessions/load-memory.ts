import { ShardReader } from "@ringrank/model/weights";
import { adviseHugePages } from "@ringrank/webassembly";
import { MatrixHome } from "../kernels/matrix-home.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import type { RankLog } from "../logging.js";
import { pieceBytes } from "../weight-files/write-weight.js";

/**
 * The memories of WebAssembly that a load takes, each of which wants more addresses than a system need give. That of
 * reading comes first: a rank can do without kernels, but not without reading.
 */
export class LoadMemory {
  readonly reader = new ShardReader({ scratchBytes: pieceBytes });
  readonly #log: RankLog;
  readonly #hugePages: boolean;
  #home: MatrixHome | undefined;

  /**
   * @param hugePages whether they are asked for where kernels compute
   * @throws RR_ADDRESS_SPACE where the system gives no memory to read with
   */
  constructor(log: RankLog, hugePages: boolean) {
    this.#log = log;
    this.#hugePages = hugePages;
  }

  /**
   * Where matrices of the rank's own products go.
   *
   * @param wantsKernels whether the rank computes anything itself
   */
  home(wantsKernels: boolean): MatrixHome {
    const options = { log: this.#log, ...(this.#hugePages && { open: openInHugePages }) };
    this.#home ??= wantsKernels ? MatrixHome.withKernels(options) : new MatrixHome(undefined, options);
    return this.#home;
  }
}

function openInHugePages(): RankKernels {
  const kernels = new RankKernels();
  adviseHugePages(kernels.memory.memory);
  return kernels;
}
