import { join } from "node:path";
import type { ConfigReader } from "../checkpoint/config-reader.js";
import { isListed } from "../files/is-listed.js";
import { ModuleFolder } from "./module-folder.js";

/** Names that versions of sentence-transformers have given the config of the first module. */
const names = [
  "sentence_bert_config.json",
  "sentence_roberta_config.json",
  "sentence_distilbert_config.json",
  "sentence_camembert_config.json",
  "sentence_albert_config.json",
  "sentence_xlm-roberta_config.json",
  "sentence_xlnet_config.json",
];

/** The config of the first module of a checkpoint of sentence-transformers; undefined if there is none. */
export function transformerConfig(folder: ModuleFolder): ConfigReader | undefined {
  for (const name of names) {
    const config = folder.config(name);
    if (config !== undefined && config.names().length > 0) return config;
  }
  return undefined;
}

/**
 * Whether a checkpoint of sentence-transformers makes texts lower case before its tokenizer does anything else.
 *
 * @throws RR_CONFIG, RR_FILE_FORMAT
 */
export function lowersCase(directory: string): boolean {
  if (!isListed(join(directory, "modules.json"))) return false;
  const config = transformerConfig(new ModuleFolder(directory, ""));
  return config?.boolean("do_lower_case", { default: false }) ?? false;
}
