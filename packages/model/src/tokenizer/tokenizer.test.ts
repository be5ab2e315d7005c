import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { loadTokenizer, type Tokenizer } from "./tokenizer.js";

const shakespeare = fileURLToPath(new URL("../../../cli/models/shakespeare-llama", import.meta.url));
const tokenizer = loadTokenizer(shakespeare)!;

/** A minimal tokenizer.json. */
const plain = {
  ...{ added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null },
  model: { type: "BPE", vocab: { a: 0 } as object, merges: [] as unknown[] },
};
const tokenizerOf = (model: object, steps: object = {}): Tokenizer =>
  loadTokenizer(temporaryDirectory({ "tokenizer.json": JSON.stringify({ ...plain, ...steps, model }) }))!;

interface Golden {
  prompts: { prompt: string; prompt_ids: number[]; greedy_ids: number[] }[];
}
const golden = JSON.parse(readFileSync(join(shakespeare, "golden.json"), "utf8")) as Golden;

const awkward = "Naïve café — “quoted” 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 漢字 Ω\u0301 \u200d\n\ttabs  and   spaces ";

test.each(golden.prompts)("encodes $prompt to the reference's ids", ({ prompt, prompt_ids }) => {
  expect(tokenizer.encode(prompt)).toEqual(prompt_ids);
});

// The ids of the reference library, tokenizers 0.23.3 for Python.
test.each([
  ["a  \ufeff\ufeff  c", [67, 223, 223, 174, 122, 126, 174, 122, 126, 223, 281]],
  ["x\u0085\u0085y", [90, 129, 230, 129, 230, 91]],
])("spaces are those of Unicode, which does not include the byte order mark: %j", (text, ids) => {
  expect(tokenizer.encode(text)).toEqual(ids);
});

// Also those of tokenizers 0.23.3 for Python.
test.each<[string, object, number[]]>([
  ["puts a space before a text", { add_prefix_space: true, use_regex: true }, [1, 0, 1, 2, 4]],
  ["does nothing to it", { add_prefix_space: false, use_regex: false }, [3, 2, 4]],
  ["splits it at spaces", { add_prefix_space: false, use_regex: true }, [0, 1, 2, 4]],
])("a ByteLevel that %s does only that", (_, switches, ids) => {
  const letters = { type: "BPE", vocab: { a: 0, Ġ: 1, b: 2, aĠ: 3, ".": 4 }, merges: [["a", "Ġ"]] };
  const pre_tokenizer = { type: "ByteLevel", trim_offsets: true, ...switches };
  expect(tokenizerOf(letters, { pre_tokenizer }).encode("a b.")).toEqual(ids);
});

// As above.
test.each([
  ["a<s>a", [0, 2, 1]],
  ["<s>a", [2, 1]],
])("a Metaspace that prepends to the first word only does not after an added token: %s", (text, ids) => {
  const letters = { type: "BPE", vocab: { "▁a": 0, a: 1, "<s>": 2, "▁": 3 }, merges: [["▁", "a"]] };
  const pre_tokenizer = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true };
  const added_tokens = [{ id: 2, content: "<s>", special: true }];
  expect(tokenizerOf(letters, { pre_tokenizer, added_tokens }).encode(text)).toEqual(ids);
});

test("decoding restores any text, of any script", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  fc.assert(
    fc.property(text, (value) => {
      expect(tokenizer.decode(tokenizer.encode(value))).toBe(value);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("special tokens are matched in a text, and omitted from decoded text unless requested", () => {
  const ids = tokenizer.encode("a<|end|>b");
  // The id of "<|end|>".
  expect(ids).toContain(2);
  expect(tokenizer.decode(ids)).toBe("ab");
  expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe("a<|end|>b");
});

// All results are those of tokenizers 0.23.3 for Python.
test.each<[string, object]>([
  ["no unknown token", { type: "Unigram", unk_id: null, vocab: [["a", -1]] }],
  ["an unknown token that is not in it", { type: "BPE", unk_token: "<unk>", vocab: { a: 0 }, merges: [] }],
])("refuses a character that is not in a vocabulary with %s, with RR_INPUT", (_, model) => {
  const letters = tokenizerOf(model);
  expect(letters.encode("aa")).toEqual([0, 0]);
  expectCode("RR_INPUT", () => letters.encode("aéa"));
});

test("a BPE without an unknown token omits a character that is not in its vocabulary", () => {
  const letters = tokenizerOf({ type: "BPE", unk_token: null, vocab: { a: 0 }, merges: [] });
  expect(letters.encode("aéa")).toEqual([0, 0]);
});

test("no ids, or ids beyond the vocabulary, decode to an empty text", () => {
  expect(tokenizer.decode([])).toBe("");
  expect(tokenizer.decode([1_000_000, -1])).toBe("");
});

describe("a stream", () => {
  const streamed = (ids: readonly number[], of = tokenizer): string[] => {
    const stream = of.stream();
    return [...ids.map((id) => stream.push(id)), stream.flush()];
  };

  test("yields the text of the reference's tokens", () => {
    for (const { greedy_ids } of golden.prompts) {
      expect(streamed(greedy_ids).join("")).toBe(tokenizer.decode(greedy_ids));
    }
  });

  test("yields each character once it is complete, never half of one", () => {
    const pieces = streamed(tokenizer.encode("a🏴b"));
    expect(pieces.join("")).toBe("a🏴b");
    expect(pieces.some((piece) => piece.includes("\uFFFD"))).toBe(false);
    expect(pieces).toContain("🏴");
  });

  test("yields the same as decoding at once, for any text", () => {
    expect(streamed(tokenizer.encode(awkward.repeat(3))).join("")).toBe(awkward.repeat(3));
  });

  test("yields the same as decoding at once, for any ids, including broken characters", () => {
    // Most random ids below 260 are a character's bytes in the wrong order.
    const anyIds = fc.array(fc.oneof(fc.integer({ min: 3, max: 258 }), fc.integer({ min: 3, max: 2047 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(anyIds, (ids) => {
        expect(streamed(ids).join("")).toBe(tokenizer.decode(ids));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("yields an incomplete rest at the end", () => {
    const ids = tokenizer.encode("🏴").slice(0, 2);
    const stream = tokenizer.stream();
    expect(ids.map((id) => stream.push(id))).toEqual(["", ""]);
    expect(stream.flush()).toBe("\uFFFD");
    expect(stream.flush()).toBe("");
  });

  test("knows whether it is holding back a part of a character", () => {
    const stream = tokenizer.stream();
    const isWhole = tokenizer.encode("a🏴").map((id) => {
      stream.push(id);
      return stream.isWhole;
    });
    expect(isWhole).toEqual([true, false, false, false, true]);
    stream.push(tokenizer.encode("🏴")[0]!);
    stream.flush();
    expect(stream.isWhole).toBe(true);
  });

  test("keeps the spaces between words that a SentencePiece tokenizer strips from the first one", () => {
    const vocab = { "<unk>": 0, "▁the": 1, "▁cat": 2, s: 3, "▁": 4, "<0xE2>": 5, "<0x82>": 6, "<0xAC>": 7 };
    const sentences = loadTokenizer(temporaryDirectory({ "tokenizer.json": sentencePiece(vocab) }))!;
    const ids = [1, 2, 3, 4, 5, 6, 7, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2];
    const pieces = streamed(ids, sentences);
    expect(pieces.slice(0, 8)).toEqual(["the", " cat", "s", " ", "", "", "€", " cat"]);
    expect(pieces.join("")).toBe(sentences.decode(ids));
  });

  test.each([
    ["the space between words", [1, 2, 3, 2]],
    ["an incomplete character", [1, 5, 6]],
    ["a partly received character", [1, 5, 6, 7]],
  ])("remembers %s across any number of tokens without text", (_, ids) => {
    const vocab = { "<unk>": 0, "▁the": 1, "▁cat": 2, s: 3, "<0xE2>": 5, "<0x82>": 6, "<0xAC>": 7 };
    const sentences = loadTokenizer(
      temporaryDirectory({ "tokenizer.json": sentencePiece(vocab, null, [end]) }),
    )!;
    // As from a model that continues after its end token; the second id only pads the vocabulary.
    for (const silent of [end.id, 100]) {
      const spread = ids.flatMap((id) => [id, ...new Array<number>(20).fill(silent)]);
      expect(streamed(spread, sentences).join("")).toBe(sentences.decode(ids));
    }
  });
});

test.each([
  ["always", "the cat"],
  ["first", "the cat"],
  ["never", " the cat"],
])("a Metaspace that prepends %s decodes to %j", (prepend_scheme, expected) => {
  const json = {
    ...JSON.parse(sentencePiece({ "<unk>": 0, "▁the": 1, "▁cat": 2 })),
    decoder: { type: "Metaspace", replacement: "▁", prepend_scheme },
  };
  const sentences = loadTokenizer(temporaryDirectory({ "tokenizer.json": JSON.stringify(json) }))!;
  // The results of tokenizers 0.23, used by transformers.
  expect(sentences.decode([1, 2])).toBe(expected);
});

const end = { id: 4, content: "</s>", special: true };

test("tokenizer.json determines the tokens around a text, whatever tokenizer_config.json adds", () => {
  const begin = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [1] } },
  };
  const idsOf = (postProcessor: object | null, addBosToken: boolean): number[] =>
    loadTokenizer(
      temporaryDirectory({
        "tokenizer.json": sentencePiece({ "<unk>": 0, "<s>": 1, "</s>": 2, a: 3 }, postProcessor),
        "tokenizer_config.json": JSON.stringify({ bos_token: "<s>", add_bos_token: addBosToken }),
      }),
    )!.encode("a");
  // As in transformers 5.18, which ignores the field if there is a tokenizer.json.
  expect(idsOf(begin, false)).toEqual([1, 3]);
  expect(idsOf(null, true)).toEqual([3]);
});

/** A tokenizer.json like Llama 2's. */
function sentencePiece(
  vocab: object,
  postProcessor: object | null = null,
  addedTokens: readonly object[] = [],
): string {
  return JSON.stringify({
    added_tokens: addedTokens,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: postProcessor,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: { type: "BPE", vocab, merges: [], unk_token: "<unk>", byte_fallback: true },
  });
}

test("a single very large id does not need additional memory", () => {
  const far = 2 ** 31 - 1;
  const model = { type: "WordLevel", vocab: { a: 0, b: far }, unk_token: "a" };
  const words = tokenizerOf(model, { added_tokens: [{ id: far - 1, content: "<s>" }] });
  expect(words.decode([0, far - 1, far])).toBe("a <s> b");
});

test("a directory without tokenizer.json has no tokenizer", () => {
  expect(loadTokenizer(temporaryDirectory({ "config.json": "{}" }))).toBeUndefined();
});

const unigram = (fields: object) => ({ ...plain, model: { type: "Unigram", vocab: [["a", 0]], ...fields } });
const adding = (token: object) => ({ ...plain, added_tokens: [token] });

test.each<[string, unknown]>([
  ["expected a JSON object", []],
  ['"model" to be an object', {}],
  ['"model" to be an object', { ...plain, model: null }],
  ['"added_tokens" to be a list', { ...plain, added_tokens: {} }],
  ['"model.vocab" to be an object or a list', { model: {} }],
  ['an id for the token "a", got -1', { ...plain, model: { ...plain.model, vocab: { a: -1 } } }],
  ['an id for the token "a", got 2147483648', { ...plain, model: { ...plain.model, vocab: { a: 2 ** 31 } } }],
  [
    'an id for the token "a", got "__proto__"',
    { ...plain, model: { ...plain.model, vocab: { a: "__proto__" } } },
  ],
  ["an added token with an id and a content", adding({ id: 0.5, content: "x" })],
  ["an added token with an id and a content", adding({ id: 1 })],
  ['"model.vocab" to be a list of [token, score]', unigram({ vocab: [["a", "x"]] })],
  ['"model.vocab" to be a list of [token, score]', unigram({ vocab: [null] })],
  ['"model.unk_id" to be one of the 1 tokens, got 1', unigram({ unk_id: 1 })],
  ["cannot be used as a tokenizer", { ...plain, normalizer: { type: "Abacus" } }],
  [
    'expected "pretokenizers" to be a list of objects',
    { ...plain, pre_tokenizer: { type: "Sequence", pretokenizers: 1 } },
  ],
  ['expected "decoders" to be a list of objects', { ...plain, decoder: { type: "Sequence", decoders: {} } }],
  ["cannot be used as a tokenizer", { ...plain, model: { ...plain.model, merges: [7] } }],
])("refuses a broken tokenizer.json: %s", (message, json) => {
  const directory = temporaryDirectory({ "tokenizer.json": JSON.stringify(json) });
  const error = expectCode("RR_FILE_FORMAT", () => loadTokenizer(directory));
  expect(error.message).toContain("tokenizer.json");
  expect(error.message).toContain(message);
});

test("refuses a tokenizer.json that is not JSON", () => {
  const directory = temporaryDirectory({ "tokenizer.json": "not JSON" });
  expect(expectCode("RR_FILE_FORMAT", () => loadTokenizer(directory)).message).toContain("tokenizer.json");
});

// Those of tokenizers 0.23.3 for Python, which cuts nothing if the tokens around a text are too many already.
test.each<[number, "beginning" | "end", number[]]>([
  [6, "beginning", [9, 0, 1, 2, 0, 8]],
  [5, "beginning", [9, 0, 1, 2, 8]],
  [5, "end", [9, 1, 2, 0, 8]],
  [3, "end", [9, 0, 8]],
  [2, "end", [9, 8]],
  [1, "beginning", [9, 0, 1, 2, 0, 8]],
])(
  "a text of at most %i tokens is cut between those around it, and its %s stays",
  (maxTokens, keeps, ids) => {
    const letters = { type: "BPE", vocab: { a: 0, b: 1, c: 2 }, merges: [] };
    const post_processor = { type: "BertProcessing", cls: ["[", 9], sep: ["]", 8] };
    expect(tokenizerOf(letters, { post_processor }).encode("abca", { maxTokens, keeps })).toEqual(ids);
  },
);
