import { existsSync } from "node:fs";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { RingrankError } from "@ringrank/errors";
import { jsonFileLimits, readMutableJson } from "../files/json.js";
import { addedTokens } from "./added-tokens.js";
import { asSplit } from "./as-split.js";
import { checkTokenizerJson } from "./check-tokenizer-json.js";
import { fewestTokensOf } from "./fewest-tokens.js";
import { tokenizerFile } from "./has-tokenizer.js";
import { withPlainMetaspace } from "./metaspace-decoder.js";
import { specialTokens } from "./special-tokens.js";
import { rebuilt, withStatedSwitches } from "./stated-switches.js";
import { textsAddUp } from "./texts-add-up.js";
import { TokenStream } from "./token-stream.js";
import { readTokenizerConfig, tokenizerConfigFile } from "./tokenizer-config.js";

export interface EncodeOptions {
  /** Whether to add what the tokenizer puts around a text (`<s>`, `[CLS]`, …). Default true. */
  readonly addSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Whether to leave out special tokens. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/** As much as is used of the library's: its own declarations are none that Node's resolution of modules takes. */
interface HubTokenizer {
  /** An id that there is none for is undefined, or null. */
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: number[]; readonly tokens: readonly string[] };
  decode(
    ids: number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/**
 * Text to token ids and back, as `tokenizer.json` says, and `tokenizer_config.json` where transformers looks at it:
 * added tokens ({@link addedTokens}), letter case and prefixes ({@link withStatedSwitches}). What stands around a text
 * tokenizer.json alone says: `add_bos_token` and `add_eos_token` transformers drops from version 5 on where there is
 * one.
 *
 * Spaces before punctuation are never "cleaned up", whatever tokenizer_config.json says: it would change text
 * that has been streamed already.
 */
export class Tokenizer {
  readonly #tokenizer: HubTokenizer;
  /** Texts of tokens that decoding may leave out. */
  readonly #special: ReadonlySet<string>;
  /**
   * Whether a token adds the same text wherever it stands, once a text has begun and its characters are complete.
   */
  readonly textsAddUp: boolean;
  /** A bound from below on how many ids {@link encode} gives; 0 where none can be told without encoding. */
  readonly fewestTokens: (text: string) => number;

  constructor(
    tokenizer: HubTokenizer,
    special: ReadonlySet<string>,
    facts: Pick<Tokenizer, "textsAddUp" | "fewestTokens">,
  ) {
    this.#tokenizer = tokenizer;
    this.#special = special;
    this.textsAddUp = facts.textsAddUp;
    this.fewestTokens = facts.fewestTokens;
  }

  /**
   * A character that the vocabulary lacks is the unknown token; BPE without one leaves it out.
   *
   * @throws RR_INPUT, as in Rust, where other models have no unknown token, or one that the vocabulary lacks
   */
  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): number[] {
    const { ids, tokens } = this.#tokenizer.encode(text, { add_special_tokens: addSpecialTokens });
    const unknown = ids.findIndex((id: number | null | undefined) => id == null);
    if (unknown === -1) return ids;
    throw new RingrankError(
      "RR_INPUT",
      `the tokenizer has no id for ${JSON.stringify(tokens[unknown])}, nor a token for what its vocabulary lacks: ` +
        "leave it out of the text, or give token ids",
    );
  }

  /** Ids that are not in the vocabulary (models pad theirs) have no text. */
  decode(ids: readonly number[], { skipSpecialTokens = true }: DecodeOptions = {}): string {
    const written = ids.filter((id) => this.#hasText(id, skipSpecialTokens));
    if (written.length === 0) return "";
    return this.#tokenizer.decode(written, {
      skip_special_tokens: skipSpecialTokens,
      clean_up_tokenization_spaces: false,
    });
  }

  /** The id of exactly this token; undefined if there is none. */
  idOf(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  /** Text from ids as they come, one sequence. */
  stream({ skipSpecialTokens = true }: DecodeOptions = {}): TokenStream {
    const decode = (ids: readonly number[]): string => this.decode(ids, { skipSpecialTokens });
    return new TokenStream(decode, (id) => this.#hasText(id, skipSpecialTokens));
  }

  #hasText(id: number, skipSpecialTokens: boolean): boolean {
    const token = this.#tokenizer.id_to_token(id);
    return token !== undefined && !(skipSpecialTokens && this.#special.has(token));
  }
}

/**
 * The tokenizer of a model directory; undefined if it has no `tokenizer.json`. Synchronous: a large vocabulary
 * takes some hundred milliseconds.
 *
 * @throws RR_FILE_FORMAT if tokenizer.json or tokenizer_config.json is not what the tokenizer library takes.
 */
export function loadTokenizer(directory: string): Tokenizer | undefined {
  const path = tokenizerFile(directory);
  if (!existsSync(path)) return undefined;
  const json = readMutableJson(path, jsonFileLimits.tokenizer);
  checkTokenizerJson(json, path);
  const config = readTokenizerConfig(directory);
  const roles = Object.values(specialTokens(directory, config));
  const added_tokens = addedTokens(json, config, roles, tokenizerConfigFile(directory));
  try {
    const tokenizer = { ...withStatedSwitches(json, config), added_tokens };
    const special = added_tokens.filter((token) => token.special).map(({ content }) => content);
    const readable = {
      ...tokenizer,
      pre_tokenizer: rebuilt(tokenizer.pre_tokenizer, asSplit),
      decoder: withPlainMetaspace(tokenizer.decoder),
    };
    return new Tokenizer(new LibraryTokenizer(readable, config), new Set(special), {
      textsAddUp: textsAddUp(tokenizer),
      fewestTokens: fewestTokensOf(tokenizer),
    });
  } catch (cause) {
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${path}: cannot be used as a tokenizer: ${(cause as Error).message}`,
      { cause },
    );
  }
}
