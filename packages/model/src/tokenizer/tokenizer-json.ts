/** The parts of tokenizer.json that are used here: https://huggingface.co/docs/tokenizers/components */
export interface TokenizerJson {
  readonly model: {
    readonly type?: string;
    /** Ids by token, or tokens by id with their scores. */
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [token: string, score: number])[];
    readonly continuing_subword_prefix?: string | null;
    readonly end_of_word_suffix?: string | null;
  };
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer?: TextStep | null;
  readonly pre_tokenizer?: TextStep | null;
  readonly post_processor?: object | null;
  readonly decoder?: DecoderStep | null;
}

/**
 * A token that is searched for in a text before anything else: https://huggingface.co/docs/tokenizers/api/added-tokens
 */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether decoding may skip it. */
  readonly special?: boolean;
  /** Whether it takes the spaces before it. */
  readonly lstrip?: boolean;
  /** Whether it takes the spaces after it. */
  readonly rstrip?: boolean;
  /** Whether it does not match within a word. */
  readonly single_word?: boolean;
  /** Whether it is normalized, and searched for in the normalized text; tokens that are not special are. */
  readonly normalized?: boolean;
}

/** A normalizer or a pre-tokenizer, or a sequence of them. */
export interface TextStep {
  readonly type?: string;
  readonly normalizers?: readonly TextStep[];
  readonly pretokenizers?: readonly TextStep[];
  /** For Split and Punctuation: what happens to the text that they cut at, such as `Isolated` and `Removed`. */
  readonly behavior?: string;
  /** For Split: whether it cuts at everything except its pattern. */
  readonly invert?: boolean;
}

/** A decoder, or a sequence of them: https://huggingface.co/docs/tokenizers/api/decoders */
export interface DecoderStep {
  readonly type?: string;
  readonly decoders?: readonly DecoderStep[];
  /** For Metaspace: whether it removes spaces from the beginning of a text, unless `never`. */
  readonly prepend_scheme?: string;
  /** For Strip: what it removes. */
  readonly content?: string;
  /** For Strip: how many characters it may remove from the end. */
  readonly stop?: number;
}
