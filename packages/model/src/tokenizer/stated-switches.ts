import type { JsonObject } from "../files/json.js";
import type { DecoderStep, TextStep, TokenizerJson } from "./tokenizer-json.js";

/** Classes of transformers that use tokenizer.json unchanged. All others follow tokenizer_config.json. */
const plainClasses: readonly unknown[] = ["PreTrainedTokenizerFast", "TokenizersBackend"];

/** Classes that put a space before a text, whatever `add_prefix_space` says (transformers 5.24). */
const prefixingClasses = /^(T5|MBart|MBart50|Nllb|Pegasus|Reformer|XLNet)Tokenizer(Fast)?$/;

/**
 * A tokenizer.json whose normalizer, pre-tokenizer and decoder do what tokenizer_config.json says otherwise. Where
 * both have a switch and differ, the config's counts, as for the tokenizer classes of transformers.
 *
 * | tokenizer_config.json | tokenizer.json |
 * |---|---|
 * | `do_lower_case`, `strip_accents`, `tokenize_chinese_chars` | the same of BertNormalizer |
 * | `add_prefix_space` | the same of ByteLevel; whether Prepend, Metaspace, and Strip of a decoder do anything |
 */
export function withStatedSwitches(json: TokenizerJson, config: JsonObject): TokenizerJson {
  const { tokenizer_class, add_prefix_space } = config;
  if (plainClasses.includes(tokenizer_class)) return json;
  const prefixed = prefixingClasses.test(String(tokenizer_class)) ? undefined : add_prefix_space;
  const change = (step: TextStep): TextStep | undefined => changed(step, config, prefixed);
  return {
    ...json,
    normalizer: rebuilt(json.normalizer, change),
    pre_tokenizer: rebuilt(json.pre_tokenizer, change),
    decoder: decoderWith(json.decoder, prefixed),
  };
}

/** Applies `change` to every step of a sequence, at any depth, and drops those for which it returns undefined. */
function rebuilt(
  step: TextStep | null | undefined,
  change: (step: TextStep) => TextStep | undefined,
): TextStep | null {
  if (step == null) return null;
  const inOrder = (steps: readonly TextStep[]): TextStep[] =>
    steps.map((each) => rebuilt(each, change)).filter((each) => each !== null);
  // Anything other than a list is refused by the code that uses these steps.
  if (Array.isArray(step.normalizers)) return { ...step, normalizers: inOrder(step.normalizers) };
  if (Array.isArray(step.pretokenizers)) return { ...step, pretokenizers: inOrder(step.pretokenizers) };
  return change(step) ?? null;
}

/** Undefined if the step should be dropped. */
function changed(step: TextStep, config: JsonObject, prefixed: unknown): TextStep | undefined {
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

/** @param always whether each part of a text between special tokens is prefixed, not only the first */
function withPrefix(
  metaspace: TextStep & { prepend_scheme?: string },
  prefixed: boolean,
  always: boolean,
): TextStep {
  const isPrefixed = metaspace.prepend_scheme !== "never";
  if (isPrefixed === prefixed) return metaspace;
  return { ...metaspace, prepend_scheme: prefixed ? (always ? "always" : "first") : "never" } as TextStep;
}

function decoderWith(decoder: DecoderStep | null | undefined, prefixed: unknown): DecoderStep | null {
  if (decoder == null || typeof prefixed !== "boolean") return decoder ?? null;
  const { type, decoders, prepend_scheme = "always" } = decoder;
  if (Array.isArray(decoders)) {
    return prefixed ? decoder : { ...decoder, decoders: decoders.filter((step) => !takesPrefix(step)) };
  }
  if (type !== "Metaspace" || (prepend_scheme !== "never") === prefixed) return decoder;
  return { ...decoder, prepend_scheme: prefixed ? "always" : "never" };
}

function takesPrefix({ type, content, stop = 0 }: DecoderStep): boolean {
  return type === "Strip" && content === " " && stop === 0;
}
