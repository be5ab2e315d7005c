import type { JsonObject } from "../files/json.js";
import type { TextStep, TokenizerJson } from "./tokenizer-json.js";

/** Classes of transformers that take tokenizer.json as it is. All others are told by tokenizer_config.json. */
const plainClasses: readonly unknown[] = ["PreTrainedTokenizerFast", "TokenizersBackend"];

/**
 * A tokenizer.json whose normalizer and pre-tokenizer do what tokenizer_config.json says otherwise. Where both
 * have a switch and differ, the config's counts, as for the tokenizer classes of transformers.
 *
 * | tokenizer_config.json | tokenizer.json |
 * |---|---|
 * | `do_lower_case`, `strip_accents`, `tokenize_chinese_chars` | the same of BertNormalizer |
 * | `add_prefix_space` | the same of ByteLevel; whether there is Prepend, and whether Metaspace prepends |
 */
export function withStatedSwitches(json: TokenizerJson, config: JsonObject): TokenizerJson {
  if (plainClasses.includes(config.tokenizer_class)) return json;
  const change = (step: TextStep): TextStep | undefined => changed(step, config);
  return {
    ...json,
    normalizer: rebuilt(json.normalizer, change),
    pre_tokenizer: rebuilt(json.pre_tokenizer, change),
  };
}

function rebuilt(
  step: TextStep | null | undefined,
  change: (step: TextStep) => TextStep | undefined,
): TextStep | null {
  if (step == null) return null;
  const inOrder = (steps: readonly TextStep[]): TextStep[] =>
    steps.map((each) => rebuilt(each, change)).filter((each) => each !== null);
  if (step.normalizers !== undefined) return { ...step, normalizers: inOrder(step.normalizers) };
  if (step.pretokenizers !== undefined) return { ...step, pretokenizers: inOrder(step.pretokenizers) };
  return change(step) ?? null;
}

/** Undefined where the step is to be left out. */
function changed(step: TextStep, config: JsonObject): TextStep | undefined {
  const prefixed = config.add_prefix_space;
  switch (step.type) {
    case "BertNormalizer":
      return {
        ...step,
        ...stated("lowercase", config.do_lower_case),
        ...stated("strip_accents", config.strip_accents),
        ...stated("handle_chinese_chars", config.tokenize_chinese_chars),
      };
    case "ByteLevel":
      return { ...step, ...stated("add_prefix_space", prefixed) };
    case "Prepend":
      return prefixed === false ? undefined : step;
    case "Metaspace":
      return typeof prefixed === "boolean" ? withPrefix(step, prefixed, config.legacy !== false) : step;
    default:
      return step;
  }
}

function stated(name: string, value: unknown): object {
  return typeof value === "boolean" ? { [name]: value } : {};
}

/** @param always whether each part of a text between special tokens is prefixed, and not its beginning alone */
function withPrefix(
  metaspace: TextStep & { prepend_scheme?: string },
  prefixed: boolean,
  always: boolean,
): TextStep {
  const isPrefixed = metaspace.prepend_scheme !== "never";
  if (isPrefixed === prefixed) return metaspace;
  return { ...metaspace, prepend_scheme: prefixed ? (always ? "always" : "first") : "never" } as TextStep;
}
