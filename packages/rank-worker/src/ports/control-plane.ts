import comlink from "comlink";
import type { RankControl, RankService, TensorMessage } from "../protocol.js";

/**
 * A rank's service as comlink exposes it: tensors are moved, not copied, and the port for progress is closed when
 * loading ends.
 *
 * @param onReleased called once the reply to `release` has been sent
 */
export function controlledService(service: RankService, onReleased: () => void): RankControl {
  return {
    reserve: (matrixBytes) => service.reserve(matrixBytes),
    async load(program, options, progress) {
      try {
        return await service.load(program, options, (loaded) => progress?.postMessage(loaded));
      } finally {
        progress?.close();
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
