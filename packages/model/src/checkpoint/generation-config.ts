import { join } from "node:path";
import { isListed } from "../files/is-listed.js";
import { type JsonObject, type JsonValue, jsonFileLimits, readJsonObject } from "../files/json.js";
import { ConfigReader } from "./config-reader.js";

/** The settings of a model's authors for generating with it. */
export interface GenerationConfig {
  readonly defaults: GenerationDefaults;
  /** Every id that ends a sequence; empty if none is named. */
  readonly eosTokenIds: readonly number[];
  /** One of these is the last token of a text that reaches its maximum length; usually empty. */
  readonly forcedEosTokenIds: readonly number[];
  /**
   * The tokens that an encoder–decoder's target starts with: `decoder_start_token_id` (else `bos_token_id`), then
   * `forced_bos_token_id`, which in multilingual models is the language. Empty for other models.
   */
  readonly decoderPromptIds: readonly number[];
  /** Names of fields that are not supported, and whose values would change results. */
  readonly unsupported: readonly string[];
}

/** Absent fields have no default here. */
export interface GenerationDefaults {
  /** False: greedy, whatever the other fields say. */
  readonly doSample?: boolean;
  readonly temperature?: number;
  /** 0: all tokens. */
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  /** 0: none. */
  readonly noRepeatNgramSize?: number;
  readonly maxNewTokens?: number;
}

/**
 * Unsupported fields that change results, each with the values that have no effect (in addition to null).
 * https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig
 */
const unsupportedFields: Readonly<Record<string, readonly JsonValue[]>> = {
  num_beams: [1],
  num_beam_groups: [1],
  diversity_penalty: [0],
  penalty_alpha: [0],
  dola_layers: [],
  typical_p: [1],
  top_h: [],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  encoder_repetition_penalty: [1],
  encoder_no_repeat_ngram_size: [0],
  bad_words_ids: [],
  force_words_ids: [],
  constraints: [],
  sequence_bias: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  forced_bos_token_id: [],
  forced_decoder_ids: [],
  exponential_decay_length_penalty: [],
  min_length: [0],
  min_new_tokens: [0],
  guidance_scale: [1],
  watermarking_config: [],
  stop_strings: [],
  max_time: [],
  num_return_sequences: [1],
  token_healing: [false],
};

/**
 * Reads `generation_config.json`; the ids of special tokens that it does not name come from `config`. If there is no
 * such file, everything comes from `config`, as in transformers for models older than that file. Its `max_length` is
 * ignored: the model's context is the limit.
 *
 * @throws RR_CONFIG for a value that makes no sense; RR_FILE_FORMAT if the file is not JSON
 */
export function readGenerationConfig(directory: string, config: JsonObject): GenerationConfig {
  const path = join(directory, "generation_config.json");
  const modelConfig = new ConfigReader(config);
  const reader = isListed(path)
    ? new ConfigReader(readJsonObject(path, jsonFileLimits.config), path)
    : modelConfig;
  const decoderPromptIds = readDecoderPromptIds(reader, modelConfig);
  const unsupported = Object.keys(unsupportedFields).filter((name) =>
    hasEffect(reader.raw(name), unsupportedFields[name]!),
  );
  return {
    defaults: readDefaults(reader),
    eosTokenIds: readIds(reader, "eos_token_id") ?? readIds(modelConfig, "eos_token_id") ?? [],
    forcedEosTokenIds: readIds(reader, "forced_eos_token_id") ?? [],
    decoderPromptIds,
    unsupported: unsupported.filter(
      (name) => name !== "forced_bos_token_id" || decoderPromptIds.length === 0,
    ),
  };
}

function readDecoderPromptIds(reader: ConfigReader, config: ConfigReader): number[] {
  if (config.optionalBoolean("is_encoder_decoder") !== true) return [];
  const id = (name: string): number | undefined =>
    reader.optionalInteger(name, { min: 0 }) ?? config.optionalInteger(name, { min: 0 });
  const start = id("decoder_start_token_id") ?? id("bos_token_id");
  if (start === undefined) return [];
  const forced = id("forced_bos_token_id");
  return forced === undefined ? [start] : [start, forced];
}

function readDefaults(reader: ConfigReader): GenerationDefaults {
  const defaults = {
    doSample: reader.optionalBoolean("do_sample"),
    temperature: reader.optionalNumber("temperature", { min: 0 }),
    topK: reader.optionalInteger("top_k", { min: 0 }),
    topP: reader.optionalNumber("top_p", { min: 0, max: 1 }),
    minP: reader.optionalNumber("min_p", { min: 0, max: 1 }),
    repetitionPenalty: reader.optionalNumber("repetition_penalty", { min: Number.MIN_VALUE }),
    noRepeatNgramSize: reader.optionalInteger("no_repeat_ngram_size", { min: 0 }),
    maxNewTokens: reader.optionalInteger("max_new_tokens"),
  };
  const present = Object.entries(defaults).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as GenerationDefaults;
}

function readIds(reader: ConfigReader, name: string): readonly number[] | undefined {
  const ids = reader.optionalIntegers(name, { min: 0 });
  return ids && [...new Set(ids)];
}

function hasEffect(value: JsonValue | undefined, neutral: readonly JsonValue[]): boolean {
  if (value === undefined || value === null || neutral.includes(value)) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
