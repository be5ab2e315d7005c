import { availableParallelism } from "node:os";
import type { InferenceSession } from "onnxruntime-node";

/** The bytes of one weight for a session, at the location that the model names. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/**
 * Where a session finds its weights: in files of a folder (a real path), which it maps, or in memory, which it copies.
 */
export type SessionWeights = { readonly folder: string } | { readonly externalData: readonly ExternalData[] };

/** The threads that share a session's work. */
export interface SessionThreads {
  /** 1 runs kernels on the rank's own thread. */
  readonly count: number;
  /** Whether idle threads may spin while their session runs; otherwise they sleep. */
  readonly spin: boolean;
}

/** Threads only spin if every thread of every rank has a core, so that none keeps another from its work. */
export function sessionThreads(count: number, worldSize: number): SessionThreads {
  return { count, spin: count > 1 && count * worldSize <= availableParallelism() };
}

export function sessionOptions(
  threads: SessionThreads,
  weights: SessionWeights,
): InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    intraOpNumThreads: threads.count,
    interOpNumThreads: 1,
    // An arena, and a memory plan for each number of rows, would belong to each session, and keep the most that it has
    // ever needed. Without them, the next session can use the memory that one releases.
    enableCpuMemArena: false,
    enableMemPattern: false,
    // The runtime would write warnings and errors to the process's stderr; errors are thrown as well.
    logSeverityLevel: 4,
    ...("externalData" in weights && weights.externalData.length > 0
      ? { externalData: [...weights.externalData] }
      : {}),
    extra: {
      session: {
        // Keeps products of floats and quantized weights in floats. By default, the runtime rounds the floats to int8
        // if the shape of a share allows it, even if the shape of the whole would not.
        qdq_matmulnbits_accuracy_level: "1",
        ...("folder" in weights ? { model_external_initializers_file_folder_path: weights.folder } : {}),
        ...(threads.count === 1 ? {} : poolOptions(threads)),
      },
    },
  };
}

/**
 * Each session has its own thread pool. A rank has dozens, and pools that keep spinning after their run starve the
 * session that is working.
 */
function poolOptions({ spin }: SessionThreads) {
  return spin
    ? { force_spinning_stop: "1", intra_op: { allow_spinning: "1" } }
    : { intra_op: { allow_spinning: "0" } };
}
