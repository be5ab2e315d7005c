import type { FileIdentity } from "../files/file-identity.js";
import type { FileSource } from "../graph/graph.js";

/** How a text's vector is made of its tokens' hidden states, as sentence-transformers names it. */
export const poolingModes = [
  "cls",
  "max",
  "mean",
  "mean_sqrt_len_tokens",
  "weightedmean",
  "lasttoken",
] as const;

/**
 * - `cls`: the state of the first token; `lasttoken`: of the last one
 * - `max`: the largest of each lane
 * - `mean`: the sum over tokens, divided by their number; `mean_sqrt_len_tokens`: by its square root
 * - `weightedmean`: the mean in which a token counts as often as its position says, from 1 on
 */
export type PoolingMode = (typeof poolingModes)[number];

/** How a checkpoint of sentence-transformers makes vectors of hidden states, and which texts it reads. */
export interface EmbeddingRecipe {
  /** More than one: their vectors are concatenated. */
  readonly pooling: readonly PoolingMode[];
  /** Whether the tokens of a prompt are pooled, too. */
  readonly poolsPrompt: boolean;
  /** Applied to a pooled vector, in order. */
  readonly dense: readonly DenseModule[];
  /** Whether the vector is then divided by its length (L2). */
  readonly normalizes: boolean;
  /** How many of the vector's elements are kept then, the first ones; undefined for all. */
  readonly dimensions: number | undefined;
  /** What is put in front of a text, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The prompt that is used if none is asked for; empty for none. */
  readonly defaultPrompt: string;
  readonly cut: TextCut;
}

/** Where a text that is too long is cut. */
export interface TextCut {
  /** The most tokens, including special ones; undefined if only the model's context is a limit. */
  readonly maxTokens: number | undefined;
  /** Whether it is a setting of the checkpoint's own, and not the tokenizer's, which the model's context limits. */
  readonly isStated: boolean;
  /** Which end of the text stays. */
  readonly keeps: "beginning" | "end";
}

/** `activation(weight · x + bias)` for a vector `x`, in float32. */
export interface DenseModule {
  readonly inputs: number;
  readonly outputs: number;
  /** `[outputs, inputs]`. */
  readonly weight: FileSource;
  /** `[outputs]`. */
  readonly bias: FileSource | undefined;
  readonly activation: VectorActivation;
  /** The file with its weights, as it was when its header was read. */
  readonly file: FileIdentity;
}

export type VectorActivation = "identity" | "tanh" | "relu" | "sigmoid" | "silu" | "gelu";

/** What a checkpoint's modules ask for that is not supported, and why. Its vectors would be others. */
export interface UnsupportedRecipe {
  readonly obstacle: string;
}
