import { RingrankError } from "@ringrank/errors";
import { isListed } from "../files/is-listed.js";
import { jsonFileLimits, readMutableJson } from "../files/json.js";
import { lowersCase } from "../sentence-embeddings/transformer-config.js";
import { addedTokens } from "./added-tokens.js";
import { AddedVocabulary } from "./added-vocabulary.js";
import { checkTokenizerJson } from "./check-tokenizer-json.js";
import { fewestTokensOf } from "./fewest-tokens.js";
import { tokenizerFile } from "./has-tokenizer.js";
import { inLowerCase } from "./in-lower-case.js";
import { type TokenModel, tokenModelOf } from "./models/token-model.js";
import { specialTokens } from "./special-tokens.js";
import { withStatedSwitches } from "./stated-switches.js";
import { type Decoder, decoderOf } from "./steps/decoder.js";
import { normalizerOf } from "./steps/normalizer.js";
import { type PostProcessor, postProcessorOf } from "./steps/post-processor.js";
import { type PreTokenizer, preTokenizerOf } from "./steps/pre-tokenizer.js";
import { textsAddUp } from "./texts-add-up.js";
import { TokenStream } from "./token-stream.js";
import { readTokenizerConfig, tokenizerConfigFile } from "./tokenizer-config.js";
import type { TokenizerJson } from "./tokenizer-json.js";

export interface EncodeOptions {
  /** Whether to add what the tokenizer puts around a text (`<s>`, `[CLS]`, …). Default true. */
  readonly addSpecialTokens?: boolean;
  /** The most tokens, including those around the text, from which more are cut. Default: no limit. */
  readonly maxTokens?: number | undefined;
  /** Which end of the text stays if it is cut. Default `beginning`. */
  readonly keeps?: "beginning" | "end";
}

export interface DecodeOptions {
  /** Whether to leave out special tokens. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/**
 * Converts text to token ids and back, as defined by `tokenizer.json`, and by `tokenizer_config.json` where
 * transformers also reads that: for added tokens ({@link addedTokens}), letter case and prefixes
 * ({@link withStatedSwitches}). Only tokenizer.json defines the tokens around a text: since version 5, transformers
 * ignores `add_bos_token` and `add_eos_token` if there is a tokenizer.json.
 *
 * Spaces before punctuation are never "cleaned up", whatever tokenizer_config.json says: that would change text that
 * has already been streamed.
 */
export class Tokenizer {
  readonly #added: AddedVocabulary;
  readonly #cut: PreTokenizer;
  readonly #model: TokenModel;
  readonly #surround: PostProcessor;
  readonly #decoder: Decoder;
  /** By id, which may be far from the others. */
  readonly #tokens: ReadonlyMap<number, string>;
  /** Texts of tokens that decoding may leave out. */
  readonly #special: ReadonlySet<string>;
  /** Whether a token adds the same text wherever it occurs, once a text has begun and its characters are complete. */
  readonly textsAddUp: boolean;
  /** A lower bound of the number of ids that {@link encode} returns; 0 if none is known without encoding. */
  readonly fewestTokens: (text: string) => number;

  /** @throws Error for invalid contents of a tokenizer.json */
  constructor(json: TokenizerJson) {
    const { added_tokens: added } = json;
    this.#added = new AddedVocabulary(added, normalizerOf(json.normalizer));
    this.#cut = preTokenizerOf(json.pre_tokenizer);
    this.#model = tokenModelOf(json.model);
    this.#surround = postProcessorOf(json.post_processor);
    this.#decoder = decoderOf(json.decoder);
    this.#tokens = new Map([
      ...this.#model.tokens,
      ...added.map(({ content, id }): [number, string] => [id, content]),
    ]);
    this.#special = new Set(added.filter(({ special }) => special).map(({ content }) => content));
    this.textsAddUp = textsAddUp(json);
    this.fewestTokens = fewestTokensOf(json);
  }

  /**
   * A character that is not in the vocabulary becomes the unknown token; BPE without an unknown token omits it.
   *
   * @throws RR_INPUT, as in Rust, if other models have no unknown token, or one that is not in the vocabulary
   */
  encode(
    text: string,
    { addSpecialTokens = true, maxTokens, keeps = "beginning" }: EncodeOptions = {},
  ): number[] {
    const ids: number[] = [];
    for (const section of this.#added.sectionsOf(text)) {
      if (typeof section === "number") {
        ids.push(section);
        continue;
      }
      for (const piece of this.#cut(section.text, section.isBeginning)) {
        if (piece !== "") this.#model.tokenize(piece, ids);
      }
    }
    const surround: PostProcessor = addSpecialTokens ? this.#surround : (same) => same;
    if (maxTokens !== undefined) {
      const most = maxTokens - surround([]).length;
      // As in Rust, nothing is cut if the tokens around a text are too many already.
      if (most >= 0) ids.splice(keeps === "beginning" ? most : 0, Math.max(0, ids.length - most));
    }
    return [...surround(ids)];
  }

  /** Whether decoding leaves a token out by default. */
  isSpecial(id: number): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && this.#special.has(token);
  }

  /** Ids that are not in the vocabulary (models pad theirs) have no text. */
  decode(ids: readonly number[], { skipSpecialTokens = true }: DecodeOptions = {}): string {
    const tokens = ids
      .map((id) => this.#textOf(id, skipSpecialTokens))
      .filter((token) => token !== undefined);
    return this.#decoder(tokens).join("");
  }

  /** Text from ids as they come, one sequence, without special tokens. */
  stream(): TokenStream {
    return new TokenStream(
      (ids) => this.decode(ids),
      (id) => this.#textOf(id, true) !== undefined,
    );
  }

  /** The text of a token; undefined for one that decoding leaves out. */
  #textOf(id: number, skipSpecialTokens: boolean): string | undefined {
    const token = this.#tokens.get(id);
    return token !== undefined && skipSpecialTokens && this.#special.has(token) ? undefined : token;
  }
}

/**
 * The tokenizer of a model directory; undefined if it has no `tokenizer.json`. Synchronous: a large vocabulary
 * takes some hundred milliseconds.
 *
 * @throws RR_FILE_FORMAT if tokenizer.json or tokenizer_config.json is not what it should be, or has what is not known
 */
export function loadTokenizer(directory: string): Tokenizer | undefined {
  const path = tokenizerFile(directory);
  if (!isListed(path)) return undefined;
  const json = readMutableJson(path, jsonFileLimits.tokenizer);
  checkTokenizerJson(json, path);
  const config = readTokenizerConfig(directory);
  const named = Object.values(specialTokens(config));
  const added_tokens = addedTokens(json, config, named, tokenizerConfigFile(directory));
  try {
    const stated = withStatedSwitches(json, config);
    return new Tokenizer({ ...(lowersCase(directory) ? inLowerCase(stated) : stated), added_tokens });
  } catch (cause) {
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${path}: cannot be used as a tokenizer: ${(cause as Error).message}`,
      { cause },
    );
  }
}
