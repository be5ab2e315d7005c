import { ConfigReader, isJsonObject, type JsonObject } from "../../checkpoint/index.js";
import { wrappers } from "./index.js";
import { textDefaults } from "./text-defaults.js";
import type { Wrapper } from "./wrapper.js";

/** What a checkpoint has of a model that reads text. */
export interface TextModel {
  /** As a config.json of its own would have it. */
  readonly config: JsonObject;
  /** Names that config in errors. */
  readonly where: string;
  /** The module that holds the text model's parameters, in a checkpoint that has more; else undefined. */
  readonly module: string | undefined;
}

/** The text model that a config is of: of one that wraps another, the other, and of any other, itself. */
export function textModelOf(json: JsonObject): TextModel {
  const wrapper = wrapperOf(json);
  if (wrapper === undefined) return { config: json, where: "config.json", module: undefined };
  const { text_config: nested } = json;
  const isNested = isJsonObject(nested);
  const type = (isNested && nested.model_type) || wrapper.texts[0];
  const config = {
    ...(typeof type === "string" && textDefaults.get(type)),
    ...(isNested ? nested : json),
    model_type: type,
    tie_word_embeddings: isTied(wrapper, json, isNested ? nested : {}),
    // The head is the whole model's.
    ...(wrapper.capsLogits ? {} : { final_logit_softcapping: null }),
    // What is the whole model's to say, if it says it.
    ...Object.fromEntries(
      ["eos_token_id", "quantization_config"]
        .filter((name) => (json[name] ?? null) !== null)
        .map((name) => [name, json[name]]),
    ),
  };
  return {
    config,
    where: isNested ? "config.json: text_config" : "config.json",
    module: wrapper.module ?? "language_model",
  };
}

/** @throws RR_CONFIG for a wrapper around no text model, or one of whose logits nothing is known. */
export function checkWrapped(json: JsonObject): void {
  const wrapper = wrapperOf(json);
  if (wrapper === undefined) return;
  const config = new ConfigReader(json);
  const text = wrapper.flat ? config.optionalObject("text_config") : config.object("text_config");
  text?.oneOf("model_type", wrapper.texts, { default: wrapper.texts[0] });
}

function wrapperOf({ model_type: type }: JsonObject): Wrapper | undefined {
  return typeof type === "string" ? wrappers.get(type) : undefined;
}

/** Versions of transformers have it in one config or the other. */
function isTied(wrapper: Wrapper, whole: JsonObject, text: JsonObject): boolean {
  const says = (config: JsonObject, byDefault: boolean): boolean =>
    new ConfigReader(config).boolean("tie_word_embeddings", { default: byDefault });
  return says(whole, wrapper.tiedByDefault ?? false) || says(text, false);
}
