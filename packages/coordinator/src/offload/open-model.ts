import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import {
  buildGraph,
  type Checkpoint,
  type ContextLimits,
  checkPayload,
  type EmbeddingRecipe,
  type ExportDtype,
  type FileIdentity,
  type Graph,
  hasExport,
  type JsonObject,
  openCheckpoint,
  openExport,
  readEmbeddingRecipe,
  requireUnchanged,
  resolveModel,
  type UnsupportedRecipe,
  withProjection,
} from "@ringrank/model";
import { uniteSizes } from "@ringrank/policy";
import { embeddingOf } from "./embedding-of.js";
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
  /** What the directory's modules.json says, if there is one. */
  readonly embedding: EmbeddingRecipe | UnsupportedRecipe | undefined;
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
    maxContext: opened.maxContext ?? longestSequence(graph),
    unused: [],
    // Opening an export has checked that every weight lies inside its file.
    checkWeights: () => requireUnchanged(opened.files),
    ...embedded({ graph, files: opened.files }, readEmbeddingRecipe(opened.directory)),
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
  const embedding = readEmbeddingRecipe(directory);
  const model = built(checkpoint, embedding !== undefined && !("obstacle" in embedding));
  return {
    ...model,
    directory,
    checkWeights: () => checkPayload(checkpoint),
    ...embedded({ graph: model.graph, files }, embedding),
  };
}

type Embedded = Pick<OpenedModel, "graph" | "files" | "embedding">;

/** A model with what its directory's modules.json adds to it. */
function embedded({ graph, files }: Omit<Embedded, "embedding">, recipe: Embedded["embedding"]): Embedded {
  const embedding = recipe && embeddingOf(recipe, graph);
  if (embedding === undefined || "obstacle" in embedding) return { graph, files, embedding };
  const { dense } = embedding;
  return {
    graph: withProjection(graph, dense),
    files: [...files, ...dense.map(({ file }) => file)],
    embedding,
  };
}

/**
 * If there is no architecture for the checkpoint, but there are ONNX files next to it that were not asked for, the
 * error says so.
 */
function built(checkpoint: Checkpoint, isHeadless: boolean): ReturnType<typeof buildGraph> {
  try {
    return buildGraph(checkpoint, { isHeadless });
  } catch (error) {
    const isUnknown = isRingrankError(error) && error.code === "RR_UNKNOWN_ARCHITECTURE";
    if (!isUnknown || !hasExport(checkpoint.directory)) throw error;
    const { code, message } = error;
    throw new RingrankError(
      code,
      `load one of the ONNX files next to the checkpoint with dtype, such as dtype: "fp32"; the checkpoint has ${message}`,
    );
  }
}
