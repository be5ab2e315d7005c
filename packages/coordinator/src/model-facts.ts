import type { EmbeddingRecipe, UnsupportedRecipe, ValueInfo } from "@ringrank/model";
import type { CacheLimits } from "@ringrank/rank-worker";
import type { GenerationDefaults } from "./options/generate-options.js";

/** Limits of token ids. */
export interface TokenLimits {
  /** The most tokens of one sequence; undefined if the model sets no limit. */
  readonly maxContext: number | undefined;
  /** Token ids are below this; undefined if the model has no vocabulary. */
  readonly vocabSize: number | undefined;
}

/** What the coordinator knows about a loaded model in addition to its policy. Plain data from the planning thread. */
export interface ModelFacts extends TokenLimits {
  /** Graph inputs that a caller may pass; caches and the choice of rows are not among them. */
  readonly inputs: readonly ValueInfo[];
  /** Names of graph outputs that a caller may request; caches are not among them. */
  readonly outputs: readonly string[];
  /** For integer inputs that index tables, such as token types: the number of rows of the shortest table. */
  readonly lookedUp?: Readonly<Record<string, number>>;
  /** Whether there is a causal cache, which generating requires. */
  readonly generates: boolean;
  readonly cacheLimits: CacheLimits;
  /** Whether a step only takes one new token per sequence, so that a prompt is fed token by token. */
  readonly takesOneToken?: boolean;
  /** What was found instead of a causal cache, if anything. */
  readonly obstacle?: string;
  /** Each of these ends a sequence. */
  readonly eosIds: readonly number[];
  /** One of these is the last token of a text that reaches its maximum length; empty if any token may be. */
  readonly forcedEosIds: readonly number[];
  readonly generationDefaults: GenerationDefaults;
  /**
   * How a checkpoint of sentence-transformers makes vectors, or what keeps the coordinator from doing so. Absent for any
   * other model.
   */
  readonly embedding?: EmbeddingRecipe | UnsupportedRecipe;
  /** Set for an encoder–decoder. */
  readonly encoder?: EncoderFacts;
}

/** The encoder of an encoder–decoder, and the limits of a source's ids. */
export interface EncoderFacts extends TokenLimits {
  /** The names of the model's inputs that the encoder takes. */
  readonly inputs: readonly string[];
  /** The model's outputs that need no decoder. */
  readonly outputs: readonly string[];
  /** Ids that a target starts with unless the caller says otherwise; empty if the config names none. */
  readonly decoderPromptIds: readonly number[];
}
