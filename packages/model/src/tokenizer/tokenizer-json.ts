/** Of tokenizer.json what is looked at here: https://huggingface.co/docs/tokenizers/components */
export interface TokenizerJson {
  readonly model: {
    readonly type?: string;
    /** Ids by token, or tokens by id with their scores. */
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [token: string, score: number])[];
    readonly end_of_word_suffix?: string | null;
  };
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer?: TextStep | null;
  readonly pre_tokenizer?: TextStep | null;
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
  /** Of Split: what it looks for. */
  readonly pattern?: { readonly String?: string; readonly Regex?: string };
  /** Of ByteLevel: whether it puts a space before a text, and whether it cuts it. */
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  /** Of Digits: whether it cuts between them. */
  readonly individual_digits?: boolean;
}

/** A decoder, or a sequence of them: https://huggingface.co/docs/tokenizers/api/decoders */
export interface DecoderStep {
  readonly type?: string;
  readonly decoders?: readonly DecoderStep[];
  /** Of Metaspace: what it writes as a space, and whether it takes one from the beginning of a text, unless `never`. */
  readonly replacement?: string;
  readonly prepend_scheme?: string;
  /** Of Replace: what it looks for, and what takes its place; of Strip, what it takes. */
  readonly pattern?: { readonly String?: string; readonly Regex?: string };
  readonly content?: string;
  /** Of Strip: how many characters it may take from the end. */
  readonly stop?: number;
}
