import { ConfigReader } from "../checkpoint/config-reader.js";
import { isJsonObject } from "../files/json.js";
import { ModuleFolder } from "./module-folder.js";
import { NotSupported } from "./not-supported.js";
import type { EmbeddingRecipe } from "./recipe.js";

type Settings = Pick<EmbeddingRecipe, "prompts" | "defaultPrompt" | "dimensions">;

/**
 * `config_sentence_transformers.json`: prompts, and the number of dimensions. Which similarity the vectors are for,
 * `similarity_fn_name`, is for those who compare them.
 *
 * @throws RR_CONFIG
 */
export function readPrompts(directory: string): Settings {
  const name = "config_sentence_transformers.json";
  const config = new ModuleFolder(directory, "").config(name) ?? new ConfigReader({}, name);
  const modelType = config.string("model_type", { default: "SentenceTransformer" });
  if (modelType !== "SentenceTransformer") {
    throw new NotSupported(
      `a model of the type ${modelType}, whose results are not one vector for each text`,
    );
  }
  const prompts = promptsOf(config);
  const byDefault = config.optionalString("default_prompt_name");
  if (byDefault !== undefined && !Object.hasOwn(prompts, byDefault)) {
    const names = Object.keys(prompts).join(", ") || "none";
    throw config.error(
      `expected "default_prompt_name" to be the name of a prompt (${names}), got "${byDefault}"`,
    );
  }
  return {
    prompts,
    defaultPrompt: byDefault === undefined ? "" : prompts[byDefault]!,
    dimensions: config.optionalInteger("truncate_dim"),
  };
}

function promptsOf(config: ConfigReader): Record<string, string> {
  const stated = config.raw("prompts") ?? {};
  const bad = () =>
    config.error(`expected "prompts" to be an object of texts, got ${JSON.stringify(stated)}`);
  if (!isJsonObject(stated)) throw bad();
  const texts = Object.entries(stated).map(([name, text]): [string, string] => {
    if (text !== null && typeof text !== "string") throw bad();
    return [name, text ?? ""];
  });
  return Object.fromEntries(texts);
}
