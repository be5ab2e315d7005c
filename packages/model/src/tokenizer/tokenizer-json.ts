/** Of tokenizer.json what is looked at here: https://huggingface.co/docs/tokenizers/components */
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

/** A token that a text is searched for before all else: https://huggingface.co/docs/tokenizers/api/added-tokens */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether decoding may leave it out. */
  readonly special?: boolean;
  /** Whether it takes the spaces before it. */
  readonly lstrip?: boolean;
  /** Whether it takes the spaces after it. */
  readonly rstrip?: boolean;
  /** Whether it is none within a word. */
  readonly single_word?: boolean;
  /** Whether a text is searched for it once it is normalized, as the token is; those that are not special are. */
  readonly normalized?: boolean;
}

/** A normalizer or a pre-tokenizer, or a sequence of them. */
export interface TextStep {
  readonly type?: string;
  readonly normalizers?: readonly TextStep[];
  readonly pretokenizers?: readonly TextStep[];
  /** Of Split and Punctuation: what becomes of what they cut at, such as `Isolated` and `Removed`. */
  readonly behavior?: string;
  /** Of Split: whether it cuts at all but what it looks for. */
  readonly invert?: boolean;
}

/** A decoder, or a sequence of them: https://huggingface.co/docs/tokenizers/api/decoders */
export interface DecoderStep {
  readonly type?: string;
  readonly decoders?: readonly DecoderStep[];
  /** Of Metaspace: whether it takes spaces from the beginning of a text, unless `never`. */
  readonly prepend_scheme?: string;
  /** Of Strip: what it takes. */
  readonly content?: string;
  /** Of Strip: how many characters it may take from the end. */
  readonly stop?: number;
}
