import comlink from "comlink";
import type { LoadProgress, RankService, TensorMessage } from "./protocol.js";

/** The received progress callback: a proxy of a function on the coordinator's thread, with a port of its own. */
type ProgressProxy = ((progress: LoadProgress) => void) & { [comlink.releaseProxy]?: () => void };

/**
 * A rank's service as comlink exposes it: tensors are moved, not copied, and the progress callback's port is closed
 * when loading ends.
 *
 * @param onReleased called once the reply to `release` has been sent
 */
export function controlledService(service: RankService, onReleased: () => void): RankService {
  return {
    reserve: (matrixBytes) => service.reserve(matrixBytes),
    async load(program, options, onProgress?: ProgressProxy) {
      try {
        return await service.load(program, options, onProgress);
      } finally {
        onProgress?.[comlink.releaseProxy]?.();
      }
    },
    async run(request) {
      const result = await service.run(request);
      return comlink.transfer(result, buffersOf(Object.values(result.outputs)));
    },
    async release() {
      await service.release();
      setImmediate(onReleased);
    },
  };
}

function buffersOf(tensors: readonly TensorMessage[]): ArrayBufferLike[] {
  return [...new Set(tensors.map(({ data }) => data.buffer))];
}
