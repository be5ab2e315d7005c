import { RingrankError } from "@ringrank/errors";
import type { JsonObject } from "../files/json.js";

/** Of tokenizer.json, what puts tokens around a text: https://huggingface.co/docs/tokenizers/api/post-processors */
interface PostProcessor {
  readonly type: "TemplateProcessing";
  readonly single: readonly object[];
}

/**
 * What takes the place of tokenizer.json's post-processor where `tokenizer_config.json` says whether texts begin with
 * `bos_token` (`add_bos_token`) or end in `eos_token` (`add_eos_token`); undefined where it says neither. As transformers
 * does it from version 5 on, one that is not stated is false.
 *
 * @param tokenTexts texts of special tokens, by the names that configs use
 * @param where names the config in errors
 * @throws RR_FILE_FORMAT for a value that is neither true nor false
 */
export function statedPostProcessor(
  config: JsonObject,
  tokenTexts: Readonly<Record<string, string>>,
  where: string,
): PostProcessor | undefined {
  const begins = statedSwitch(config, "add_bos_token", where);
  const ends = statedSwitch(config, "add_eos_token", where);
  if (begins === undefined && ends === undefined) return undefined;
  const special = (isAdded: boolean | undefined, name: string): object[] =>
    isAdded && tokenTexts[name] !== undefined ? [{ SpecialToken: { id: tokenTexts[name], type_id: 0 } }] : [];
  const text = { Sequence: { id: "A", type_id: 0 } };
  return {
    type: "TemplateProcessing",
    single: [...special(begins, "bos_token"), text, ...special(ends, "eos_token")],
  };
}

function statedSwitch(config: JsonObject, name: string, where: string): boolean | undefined {
  const value = config[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  const got = JSON.stringify(value);
  throw new RingrankError("RR_FILE_FORMAT", `${where}: expected "${name}" to be true or false, got ${got}`);
}
