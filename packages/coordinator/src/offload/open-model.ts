import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import {
  buildGraph,
  type Checkpoint,
  type ContextLimits,
  checkPayload,
  type ExportDtype,
  type FileIdentity,
  type Graph,
  hasExport,
  type JsonObject,
  openCheckpoint,
  openExport,
  requireUnchanged,
  resolveModel,
} from "@ringrank/model";
import { uniteSizes } from "@ringrank/policy";
import { longestSequence } from "./longest-sequence.js";

/** A model whose shapes are known, and whose weights have not been read. */
export interface OpenedModel extends ContextLimits {
  readonly graph: Graph;
  /** Where the tokenizer and generation_config.json would be. */
  readonly directory: string;
  /** The config of what the graph computes; empty for an ONNX file without one. */
  readonly config: JsonObject;
  /** Names of tensors in the files that the model does not use. */
  readonly unused: readonly string[];
  /** Why it has no cache, if its file has something that looks like one. */
  readonly obstacle?: RingrankError | undefined;
  /** The files with the weights, as they were when they were opened. */
  readonly files: readonly FileIdentity[];
  /**
   * Checks that every weight file exists, is the one that was opened, and is as long as its header says:
   * `RR_MISSING_FILE`, `RR_FILE_FORMAT`.
   */
  checkWeights(): void;
}

/**
 * Opens a HuggingFace directory, an id in the local cache, an `.onnx` file, or a directory of such files. From a
 * directory with both, the checkpoint is opened, unless `dtype` selects one of the ONNX files. Throws what these throw.
 */
export function openModel(pathOrId: string, dtype?: ExportDtype): OpenedModel {
  const path = resolveModel(pathOrId);
  const isExport = statSync(path).isFile() || dtype !== undefined || (!hasWeights(path) && hasExport(path));
  if (!isExport) return openDirectory(path);
  const opened = openExport(path, dtype);
  const graph = uniteSizes(opened.graph);
  return {
    ...opened,
    graph,
    maxContext: opened.maxContext ?? longestSequence(graph),
    unused: [],
    // Opening an export has checked that every weight lies inside its file.
    checkWeights: () => requireUnchanged(opened.files),
  };
}

function hasWeights(directory: string): boolean {
  return ["model.safetensors", "model.safetensors.index.json"].some((name) =>
    existsSync(join(directory, name)),
  );
}

function openDirectory(path: string): OpenedModel {
  const checkpoint = openCheckpoint(path);
  const { directory, files } = checkpoint;
  return {
    ...built(checkpoint),
    directory,
    files,
    checkWeights: () => checkPayload(checkpoint),
  };
}

/**
 * If there is no architecture for the checkpoint, but there are ONNX files next to it that were not asked for, the
 * error says so.
 */
function built(checkpoint: Checkpoint): ReturnType<typeof buildGraph> {
  try {
    return buildGraph(checkpoint);
  } catch (error) {
    const isUnknown = isRingrankError(error) && error.code === "RR_UNKNOWN_ARCHITECTURE";
    if (!isUnknown || !hasExport(checkpoint.directory)) throw error;
    const { code, message } = error;
    throw new RingrankError(
      code,
      `${message}. There are ONNX files next to it: load one of them with dtype, such as dtype: "fp32"`,
    );
  }
}
