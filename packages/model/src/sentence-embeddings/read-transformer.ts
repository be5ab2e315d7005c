import { join } from "node:path";
import type { ConfigReader } from "../checkpoint/config-reader.js";
import { isListed } from "../files/is-listed.js";
import { isJsonObject, type JsonValue } from "../files/json.js";
import { readTokenizerConfig } from "../tokenizer/tokenizer-config.js";
import type { ModuleFolder } from "./module-folder.js";
import { NotSupported } from "./not-supported.js";
import type { TextCut } from "./recipe.js";
import { transformerConfig } from "./transformer-config.js";

/** Fields without an effect on the vectors of texts, or whose effect is in other files. */
const neutral: ReadonlySet<string> = new Set([
  "do_lower_case",
  "max_seq_length",
  // Of tasks, which `encode` is not told unless its caller names one.
  "query_length",
  "document_length",
  "query_expansion",
  // How fast it is.
  "unpad_inputs",
]);

/** Settings of how the model and the tokenizer are loaded that do not change their results beyond rounding. */
const neutralArguments: ReadonlySet<string> = new Set([
  "add_pooling_layer",
  "attn_implementation",
  "dtype",
  "padding_side",
  "torch_dtype",
  "trust_remote_code",
  "use_cache",
  "use_fast",
]);

/** The only modality of sentence-transformers before version 5.4, and what it reads of the model's output. */
const textModality = { method: "forward", method_output_name: "last_hidden_state" };

/**
 * The first module, the model itself: where it cuts texts.
 *
 * @throws RR_CONFIG, RR_FILE_FORMAT
 */
export function readTransformer(directory: string, folder: ModuleFolder): TextCut {
  if (folder.name !== "") {
    throw new NotSupported(`a model in the folder ${folder.name}; supported is one next to modules.json`);
  }
  if (isListed(join(directory, "adapter_config.json")))
    throw new NotSupported("an adapter (adapter_config.json)");
  const config = transformerConfig(folder);
  if (config !== undefined) checkSettings(config);
  const { model_max_length: ofTokenizer, truncation_side: side } = readTokenizerConfig(directory);
  const stated = config?.optionalInteger("max_seq_length");
  return {
    // "No limit" is 10³⁰.
    maxTokens: stated ?? (typeof ofTokenizer === "number" && ofTokenizer < 2 ** 31 ? ofTokenizer : undefined),
    isStated: stated !== undefined,
    keeps: side === "left" ? "end" : "beginning",
  };
}

function checkSettings(config: ConfigReader): void {
  for (const field of config.names()) {
    const value = config.raw(field)!;
    if (neutral.has(field) || isNeutral(field, value)) continue;
    throw new NotSupported(`sentence_bert_config.json with "${field}": ${JSON.stringify(value)}`);
  }
}

function isNeutral(field: string, value: JsonValue): boolean {
  switch (field) {
    case "transformer_task":
      return value === "feature-extraction";
    case "module_output_name":
      return value === "token_embeddings";
    case "modality_config":
      // A checkpoint that takes messages puts every text into its chat template.
      return isJsonObject(value) && !("message" in value) && isTextModality(value.text);
    case "processing_kwargs":
      return isJsonObject(value) && Object.keys(value).length === 0;
    case "model_args":
    case "model_kwargs":
    case "tokenizer_args":
    case "processor_kwargs":
    case "config_args":
    case "config_kwargs":
      return isJsonObject(value) && Object.keys(value).every((name) => neutralArguments.has(name));
    default:
      return false;
  }
}

function isTextModality(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.entries(textModality).every(([name, text]) => value[name] === text);
}
