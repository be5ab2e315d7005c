import { statSync } from "node:fs";
import { dirname } from "node:path";
import {
  buildGraph,
  checkPayload,
  type Graph,
  type JsonObject,
  openCheckpoint,
  openOnnx,
  resolveModel,
} from "@ringrank/model";

/** A model whose shapes are known; no weight is read. */
export interface OpenedModel {
  readonly graph: Graph;
  /** Where the tokenizer and generation_config.json would be. */
  readonly directory: string;
  /** Empty for an ONNX file. */
  readonly config: JsonObject;
  /** Most tokens of a sequence; undefined where the model sets no limit. */
  readonly maxContext: number | undefined;
  /** Names of tensors in the files that the model does not use. */
  readonly unused: readonly string[];
  /** Checks that every weight file is there and as long as its header says: `RR_MISSING_FILE`, `RR_FILE_FORMAT`. */
  checkWeights(): void;
}

/** Opens a HuggingFace directory, an id in the local cache, or an `.onnx` file. Throws what these throw. */
export function openModel(pathOrId: string): OpenedModel {
  const path = resolveModel(pathOrId);
  return statSync(path).isFile() ? openOnnxFile(path) : openDirectory(path);
}

function openDirectory(path: string): OpenedModel {
  const checkpoint = openCheckpoint(path);
  const { config, directory } = checkpoint;
  return { ...buildGraph(checkpoint), directory, config, checkWeights: () => checkPayload(checkpoint) };
}

function openOnnxFile(path: string): OpenedModel {
  // Opening has checked that every weight lies inside its file.
  return {
    graph: openOnnx(path),
    directory: dirname(path),
    config: {},
    maxContext: undefined,
    unused: [],
    checkWeights: () => {},
  };
}
