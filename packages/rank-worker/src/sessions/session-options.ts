import { availableParallelism } from "node:os";
import type { InferenceSession } from "onnxruntime-node";

/** One weight's bytes for a session, under the location that the model names. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/**
 * Where a session finds its weights: as files of a folder (a real path), which it maps, or in memory, which it copies.
 */
export type SessionWeights = { readonly folder: string } | { readonly externalData: readonly ExternalData[] };

/** The threads that share a session's work. */
export interface SessionThreads {
  /** 1 runs kernels on the rank's own thread. */
  readonly count: number;
  /** Whether those without work may spin for it while their session runs; otherwise they sleep. */
  readonly spin: boolean;
}

/** Threads spin only where every thread of every rank has a core, so that none keeps another from its work. */
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
    // An arena and a plan of memory for each number of rows would be every session's own, and keep for ever the most
    // that it has ever needed. Without them what one session lets go of the next one takes.
    enableCpuMemArena: false,
    enableMemPattern: false,
    // Warnings and errors would be written to the process's stderr from inside the runtime; errors are thrown, too.
    logSeverityLevel: 4,
    ...("externalData" in weights && weights.externalData.length > 0
      ? { externalData: [...weights.externalData] }
      : {}),
    extra: {
      session: {
        // A product of real numbers by a quantized weight stays one: the runtime's default rounds them to int8, where
        // the shape of a share lets it, and not where that of the whole does not.
        qdq_matmulnbits_accuracy_level: "1",
        ...("folder" in weights ? { model_external_initializers_file_folder_path: weights.folder } : {}),
        ...(threads.count === 1 ? {} : poolOptions(threads)),
      },
    },
  };
}

/**
 * Each session has a pool of threads of its own; a rank has dozens, and pools that spin on after their run starve the
 * session that works.
 */
function poolOptions({ spin }: SessionThreads) {
  return spin
    ? { force_spinning_stop: "1", intra_op: { allow_spinning: "1" } }
    : { intra_op: { allow_spinning: "0" } };
}
