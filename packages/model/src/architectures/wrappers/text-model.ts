import { ConfigReader, isJsonObject, type JsonObject } from "../../checkpoint/index.js";
import { wrappers } from "./index.js";
import { textDefaults } from "./text-defaults.js";
import type { Wrapper } from "./wrapper.js";

/** The text model in a checkpoint. */
export interface TextModel {
  /** Like a config.json of its own. */
  readonly config: JsonObject;
  /** The name of that config in errors. */
  readonly where: string;
  /** The module that contains the text model's parameters, if the checkpoint has more than these. */
  readonly module: string | undefined;
}

/** The text model that a config describes: the nested one of a wrapper; any other model itself. */
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
    // The head belongs to the wrapper.
    ...(wrapper.capsLogits ? {} : { final_logit_softcapping: null }),
    // The wrapper's settings take precedence.
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

/**
 * @throws RR_CONFIG for a wrapper without a text model, or around one whose logits may be computed in an unknown way
 */
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

/** The setting may be in either config, depending on the version of transformers. */
function isTied(wrapper: Wrapper, whole: JsonObject, text: JsonObject): boolean {
  const says = (config: JsonObject, byDefault: boolean): boolean =>
    new ConfigReader(config).boolean("tie_word_embeddings", { default: byDefault });
  return says(whole, wrapper.tiedByDefault ?? false) || says(text, false);
}
