import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { isListed } from "../files/is-listed.js";
import { isJsonObject, type JsonValue, jsonFileLimits, readJson, showJson } from "../files/json.js";
import { ModuleFolder } from "./module-folder.js";
import { NotSupported } from "./not-supported.js";
import { readDense } from "./read-dense.js";
import { readPooling } from "./read-pooling.js";
import { readPrompts } from "./read-prompts.js";
import { readTransformer } from "./read-transformer.js";
import type { EmbeddingRecipe, UnsupportedRecipe } from "./recipe.js";
import { requireSentenceEmbedding } from "./sentence-embedding.js";

/** An entry of modules.json. */
interface ListedModule {
  /** The name of the class, such as `Pooling`; with its package if that is not sentence-transformers. */
  readonly type: string;
  readonly folder: ModuleFolder;
}

/**
 * How a checkpoint makes vectors of texts, if sentence-transformers has saved it: `modules.json`, the config of each
 * module, and `config_sentence_transformers.json` (https://www.sbert.net/docs/package_reference/base/modules.html).
 * Reads no weights.
 *
 * Supported are a Transformer, then Pooling, then any number of Dense, then Normalize; Dropout has no effect.
 *
 * @param directory real path
 * @returns undefined if there is no modules.json; what is not supported, if anything
 * @throws RR_FILE_FORMAT, RR_CONFIG, RR_PATH, RR_MISSING_FILE if a file is not what sentence-transformers writes
 */
export function readEmbeddingRecipe(directory: string): EmbeddingRecipe | UnsupportedRecipe | undefined {
  const path = join(directory, modulesFile);
  if (!isListed(path)) return undefined;
  try {
    const modules = readModules(directory, path);
    const [transformer, pooling, ...others] = modules.filter(({ type }) => type !== "Dropout");
    requireType(transformer, "Transformer", modules);
    requireType(pooling, "Pooling", modules);
    return {
      ...readPooling(pooling.folder),
      ...readVectorModules(others),
      ...readPrompts(directory),
      cut: readTransformer(directory, transformer.folder),
    };
  } catch (error) {
    if (error instanceof NotSupported) return { obstacle: error.message };
    throw error;
  }
}

/** The file in which sentence-transformers lists a checkpoint's modules. */
const modulesFile = "modules.json";

/** What makes the vector of the pooled one: matrices, and a normalization at the end. */
function readVectorModules(modules: readonly ListedModule[]): Pick<EmbeddingRecipe, "dense" | "normalizes"> {
  const ends = modules.findIndex(({ type }) => type === "Normalize");
  const matrices = ends < 0 ? modules : modules.slice(0, ends);
  const rest = ends < 0 ? [] : modules.slice(ends);
  const other =
    matrices.find(({ type }) => type !== "Dense") ?? rest.find(({ type }) => type !== "Normalize");
  if (other !== undefined) {
    const names = modules.map(({ type }) => type).join(", ");
    throw new NotSupported(
      `the modules ${names} after Pooling; supported are Dense, then Normalize, and Dropout`,
    );
  }
  for (const { folder } of rest) requireSentenceEmbedding("Normalize", folder.config());
  return { dense: matrices.map(({ folder }) => readDense(folder)), normalizes: rest.length > 0 };
}

function requireType(
  module: ListedModule | undefined,
  type: "Transformer" | "Pooling",
  all: readonly ListedModule[],
): asserts module is ListedModule {
  if (module?.type === type) return;
  const names = all.map((one) => one.type).join(", ");
  throw new NotSupported(`the modules ${names}; supported are Transformer, then Pooling, then others`);
}

function readModules(directory: string, path: string): ListedModule[] {
  const list = readJson(path, jsonFileLimits.config);
  if (!Array.isArray(list)) throw malformed(path, list);
  return list.map((entry: JsonValue): ListedModule => {
    if (!isJsonObject(entry)) throw malformed(path, entry);
    const { type, path: folder } = entry;
    if (typeof type !== "string" || typeof folder !== "string") throw malformed(path, entry);
    return { type: shortName(type), folder: new ModuleFolder(directory, folder) };
  });
}

/** Versions differ in where a class is: `sentence_transformers.models.Pooling`, `….modules.pooling.Pooling`. */
function shortName(type: string): string {
  return type.startsWith("sentence_transformers.") ? type.slice(type.lastIndexOf(".") + 1) : type;
}

function malformed(path: string, got: JsonValue): RingrankError {
  const expected = 'expected a list of modules, { "type": …, "path": … }';
  return new RingrankError("RR_FILE_FORMAT", `${path}: ${expected}, got ${showJson(got)}`);
}
