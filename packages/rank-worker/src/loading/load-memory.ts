import { ShardReader } from "@ringrank/model/weights";
import { adviseHugePages } from "@ringrank/webassembly";
import { MatrixHome } from "../kernels/matrix-home.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import type { RankLog } from "../logging.js";
import { pieceBytes } from "./write-weight.js";

/**
 * The WebAssembly memories that a load needs, each of which needs more address space than a system may provide. The
 * memory for reading comes first: a rank can work without kernels, but not without reading.
 */
export class LoadMemory {
  readonly reader = new ShardReader({ scratchBytes: pieceBytes });
  readonly #log: RankLog;
  readonly #hugePages: boolean;
  #home: MatrixHome | undefined;

  /**
   * @param hugePages whether to ask for huge pages where kernels compute
   * @throws RR_ADDRESS_SPACE if the system provides no memory for reading
   */
  constructor(log: RankLog, hugePages: boolean) {
    this.#log = log;
    this.#hugePages = hugePages;
  }

  /**
   * The memory for the matrices of the rank's own products.
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
