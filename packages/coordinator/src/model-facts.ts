import type { ValueInfo } from "@ringrank/model";
import type { GenerationDefaults } from "./options/generate-options.js";

/** What token ids have to be. */
export interface TokenLimits {
  /** Most tokens of one sequence; undefined where the model sets no limit. */
  readonly maxContext: number | undefined;
  /** Token ids run from 0 to one less; undefined where the model has no vocabulary. */
  readonly vocabSize: number | undefined;
}

/** What the coordinator knows of a loaded model besides its policy. Plain data: it comes from the planning thread. */
export interface ModelFacts extends TokenLimits {
  /** Graph inputs that a caller may give; caches and the choice of rows are not among them. */
  readonly inputs: readonly ValueInfo[];
  /** Names of graph outputs that a caller may ask for; caches are not among them. */
  readonly outputs: readonly string[];
  /** By input of whole numbers that tables are looked up by, such as token types: how many rows the shortest has. */
  readonly lookedUp?: Readonly<Record<string, number>>;
  /** Whether there is a causal cache, without which nothing can be generated. */
  readonly generates: boolean;
  /** Whether a step takes one new token of a sequence and no more, so that a prompt goes in token by token. */
  readonly takesOneToken?: boolean;
  /** What was found in place of a causal cache, where something was. */
  readonly obstacle?: string;
  /** Each of them ends a sequence. */
  readonly eosIds: readonly number[];
  /** One of them is the last token of a text that goes on to its greatest length; empty where any may be. */
  readonly forcedEosIds: readonly number[];
  readonly generationDefaults: GenerationDefaults;
  /** Where the model is an encoder–decoder. */
  readonly encoder?: EncoderFacts;
}

/** The encoder of an encoder–decoder, and what the ids of a source have to be. */
export interface EncoderFacts extends TokenLimits {
  /** Of the model's inputs, the names of those it takes. */
  readonly inputs: readonly string[];
  /** Of the model's outputs, those that need no decoder. */
  readonly outputs: readonly string[];
  /** Ids that a target begins with unless the caller says otherwise; empty where the config names none. */
  readonly decoderPromptIds: readonly number[];
}
