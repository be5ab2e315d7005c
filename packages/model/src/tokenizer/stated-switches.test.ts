import { describe, expect, it } from "vitest";
import { withStatedSwitches } from "./stated-switches.js";
import type { DecoderStep, TextStep, TokenizerJson } from "./tokenizer-json.js";

type Steps = Pick<TokenizerJson, "normalizer" | "pre_tokenizer">;

function stepsWith(config: Record<string, boolean | string | null>, steps: Steps): Steps {
  const json = { model: { vocab: {} }, added_tokens: [], ...steps };
  const { normalizer, pre_tokenizer } = withStatedSwitches(json, config);
  return { normalizer: normalizer ?? null, pre_tokenizer: pre_tokenizer ?? null };
}

const bert = {
  type: "BertNormalizer",
  lowercase: true,
  strip_accents: null,
  handle_chinese_chars: true,
} as TextStep;
const byteLevel = { type: "ByteLevel", add_prefix_space: false } as TextStep;
const replace = { type: "Replace" };
const prepend = { type: "Prepend" };
const metaspace = (prepend_scheme: string) => ({ type: "Metaspace", prepend_scheme }) as TextStep;

describe("tokenizer_config.json overrides tokenizer.json", () => {
  it("for a BertNormalizer", () => {
    const config = { do_lower_case: false, strip_accents: true, tokenize_chinese_chars: false };
    expect(stepsWith(config, { normalizer: bert }).normalizer).toEqual({
      type: "BertNormalizer",
      lowercase: false,
      strip_accents: true,
      handle_chinese_chars: false,
    });
  });

  it("for ByteLevel, also within a sequence", () => {
    const sequence = { type: "Sequence", pretokenizers: [{ type: "Digits" }, byteLevel] };
    expect(stepsWith({ add_prefix_space: true }, { pre_tokenizer: sequence }).pre_tokenizer).toEqual({
      type: "Sequence",
      pretokenizers: [{ type: "Digits" }, { type: "ByteLevel", add_prefix_space: true }],
    });
  });

  it("for Prepend, which is then removed", () => {
    const sequence = { type: "Sequence", normalizers: [prepend, replace] };
    const without = { type: "Sequence", normalizers: [replace] };
    expect(stepsWith({ add_prefix_space: false }, { normalizer: sequence }).normalizer).toEqual(without);
    expect(stepsWith({ add_prefix_space: false }, { normalizer: prepend }).normalizer).toBeNull();
    expect(stepsWith({ add_prefix_space: true }, { normalizer: sequence }).normalizer).toEqual(sequence);
  });

  it.each<[string, Record<string, boolean>, string]>([
    ["first", { add_prefix_space: false }, "never"],
    ["first", { add_prefix_space: true }, "first"],
    ["never", { add_prefix_space: true }, "always"],
    ["never", { add_prefix_space: true, legacy: false }, "first"],
  ])("for Metaspace: %s with %j becomes %s", (scheme, config, expected) => {
    expect(stepsWith(config, { pre_tokenizer: metaspace(scheme) }).pre_tokenizer).toEqual(
      metaspace(expected),
    );
  });
});

describe("a decoder", () => {
  const decoderWith = (add_prefix_space: boolean, decoder: DecoderStep): DecoderStep | null | undefined =>
    withStatedSwitches({ model: { vocab: {} }, added_tokens: [], decoder }, { add_prefix_space }).decoder;
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const sequence = { type: "Sequence", decoders: [{ type: "Fuse" }, strip] };

  it("does not strip the beginning of a text if nothing is put there", () => {
    expect(decoderWith(false, sequence)).toEqual({ type: "Sequence", decoders: [{ type: "Fuse" }] });
    expect(decoderWith(false, metaspace("first"))).toEqual(metaspace("never"));
    // As older files have it, whose scheme is then "always".
    expect(decoderWith(false, { type: "Metaspace" })).toEqual(metaspace("never"));
  });

  it("keeps steps that strip both ends, or something else, even if nothing is put there", () => {
    const others = {
      type: "Sequence",
      decoders: [
        { ...strip, stop: 1 },
        { ...strip, content: "_" },
      ],
    };
    expect(decoderWith(false, others)).toEqual(others);
  });

  it("strips a space at the beginning of a text if one is put there", () => {
    expect(decoderWith(true, sequence)).toEqual(sequence);
    expect(decoderWith(true, metaspace("first"))).toEqual(metaspace("first"));
    expect(decoderWith(true, metaspace("never"))).toEqual(metaspace("always"));
  });
});

describe("tokenizer.json is used", () => {
  const steps = { normalizer: bert, pre_tokenizer: byteLevel };

  it("if tokenizer_config.json does not say", () => {
    expect(stepsWith({ do_lower_case: null }, steps)).toEqual(steps);
    expect(stepsWith({}, { normalizer: prepend }).normalizer).toEqual(prepend);
  });

  it.each(["T5Tokenizer", "NllbTokenizerFast"])("for prefixes, with the class %s", (tokenizer_class) => {
    const config = { tokenizer_class, add_prefix_space: false };
    expect(stepsWith(config, { pre_tokenizer: metaspace("always") }).pre_tokenizer).toEqual(
      metaspace("always"),
    );
  });

  it.each(["PreTrainedTokenizerFast", "TokenizersBackend"])("with the class %s", (tokenizer_class) => {
    const config = { tokenizer_class, do_lower_case: false, add_prefix_space: true };
    expect(stepsWith(config, steps)).toEqual(steps);
  });
});
