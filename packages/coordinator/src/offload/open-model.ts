import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RingrankError } from "@ringrank/errors";
import {
  buildGraph,
  checkPayload,
  type ExportDtype,
  type Graph,
  hasExport,
  type JsonObject,
  openCheckpoint,
  openExport,
  resolveModel,
} from "@ringrank/model";
import { uniteSizes } from "@ringrank/policy";

/** A model whose shapes are known; no weight is read. */
export interface OpenedModel {
  readonly graph: Graph;
  /** Where the tokenizer and generation_config.json would be. */
  readonly directory: string;
  /** Empty for an ONNX file without one. */
  readonly config: JsonObject;
  /** Most tokens of a sequence; undefined where the model sets no limit. */
  readonly maxContext: number | undefined;
  /** Names of tensors in the files that the model does not use. */
  readonly unused: readonly string[];
  /** Why it has no cache, where its file has what looks like one. */
  readonly obstacle?: RingrankError | undefined;
  /** Checks that every weight file is there and as long as its header says: `RR_MISSING_FILE`, `RR_FILE_FORMAT`. */
  checkWeights(): void;
}

/**
 * Opens a HuggingFace directory, an id in the local cache, an `.onnx` file, or a directory of these. A directory with
 * both is the checkpoint, unless `dtype` says which of the ONNX files is meant. Throws what these throw.
 */
export function openModel(pathOrId: string, dtype?: ExportDtype): OpenedModel {
  const path = resolveModel(pathOrId);
  const isExport = statSync(path).isFile() || dtype !== undefined || (!hasWeights(path) && hasExport(path));
  if (!isExport) return openDirectory(path);
  const opened = openExport(path, dtype);
  // Opening an export has checked that every weight lies inside its file.
  return { ...opened, graph: uniteSizes(opened.graph), unused: [], checkWeights: () => {} };
}

function hasWeights(directory: string): boolean {
  return ["model.safetensors", "model.safetensors.index.json"].some((name) =>
    existsSync(join(directory, name)),
  );
}

function openDirectory(path: string): OpenedModel {
  const checkpoint = openCheckpoint(path);
  const { config, directory } = checkpoint;
  return { ...buildGraph(checkpoint), directory, config, checkWeights: () => checkPayload(checkpoint) };
}
