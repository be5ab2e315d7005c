import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Tokenizer } from "./tokenizer.js";
import type { TokenizerJson } from "./tokenizer-json.js";

interface RandomTokenizer {
  readonly tokenizer: TokenizerJson;
  readonly encoded: readonly (readonly [text: string, ids: number[]])[];
  readonly decoded: readonly (readonly [ids: number[], text: string])[];
}

// The results of tokenizers 0.23.3 for Python: test/fixtures/make/random_tokenizers.py.
const fixture = new URL("../../../../test/fixtures/tokenizers.json", import.meta.url);
const cases = (JSON.parse(readFileSync(fixture, "utf8")) as RandomTokenizer[]).map((each) => {
  const { normalizer, pre_tokenizer, model, decoder } = each.tokenizer;
  const steps = [normalizer, pre_tokenizer, model, decoder].map((step) => step?.type ?? "nothing");
  return { ...each, steps: steps.join(", ") };
});

test.each(cases)(
  "computes the texts and ids of the Rust library: $steps",
  ({ tokenizer, encoded, decoded }) => {
    const ours = new Tokenizer(tokenizer);
    expect(encoded.map(([text]) => [text, ours.encode(text)])).toEqual(encoded);
    const text = (ids: number[]): string => ours.decode(ids, { skipSpecialTokens: true });
    expect(decoded.map(([ids]) => [ids, text(ids)])).toEqual(decoded);
  },
);
