import { RingrankError } from "@ringrank/errors";
import type { EmbeddingRecipe, PoolingMode, TextCut } from "@ringrank/model";
import { interfaceNames } from "@ringrank/model/serving";
import type { ModelFacts } from "../model-facts.js";
import { optionError } from "../options/check.js";
import type { CheckedEmbedOptions } from "../options/embed-options.js";

/** What one call of `embed` does with hidden states. */
export interface VectorSteps {
  /** Vectors of several modes are concatenated. */
  readonly pooling: readonly PoolingMode[];
  /** The length of the vectors that the model then multiplies; undefined if it does not. */
  readonly projected: number | undefined;
  /** Each is applied to the vectors, in order. */
  readonly last: readonly ((vector: Float32Array) => Float32Array)[];
}

/** How a model makes vectors of texts: as its checkpoint says, unless a caller asks for something else. */
export class Embedder {
  readonly #recipe: EmbeddingRecipe | undefined;

  /** @param recipe of a checkpoint of sentence-transformers; undefined for any other */
  constructor(recipe: EmbeddingRecipe | undefined) {
    this.#recipe = recipe;
  }

  /** @throws RR_NO_EMBED if the model has no hidden states, or makes vectors in a way that is not supported */
  static of({ outputs, embedding }: ModelFacts): Embedder {
    if (embedding !== undefined && "obstacle" in embedding) {
      throw new RingrankError(
        "RR_NO_EMBED",
        "the checkpoint's modules.json asks for what is not supported, so vectors would be others than those of " +
          `sentence-transformers: ${embedding.obstacle}. Make them of the outputs of model.run, or load a copy of the ` +
          "checkpoint without modules.json",
      );
    }
    if (outputs.includes(interfaceNames.lastHiddenState)) return new Embedder(embedding);
    throw new RingrankError(
      "RR_NO_EMBED",
      `expected a model with the output ${interfaceNames.lastHiddenState}, got ${outputs.join(", ")}; use an encoder, ` +
        "or a checkpoint of sentence-transformers, which has a modules.json",
    );
  }

  /** Whether a prompt's tokens are pooled with those of the text behind it. */
  get poolsPrompt(): boolean {
    return this.#recipe?.poolsPrompt ?? true;
  }

  /** Where texts are cut; undefined if those that are too long are refused. */
  get cut(): TextCut | undefined {
    return this.#recipe?.cut;
  }

  /**
   * The text to put in front of each text.
   *
   * @throws RR_OPTION if the checkpoint has no prompt of this name
   */
  promptOf({ prompt, promptName }: Pick<CheckedEmbedOptions, "prompt" | "promptName">): string {
    const { prompts = {}, defaultPrompt = "" } = this.#recipe ?? {};
    if (promptName === undefined) return prompt ?? defaultPrompt;
    if (Object.hasOwn(prompts, promptName)) return prompts[promptName]!;
    const names = Object.keys(prompts);
    const known = names.length === 0 ? "no value, because the checkpoint has no prompts" : names.join(" or ");
    throw optionError("promptName", known, promptName);
  }

  stepsOf({ pooling, normalize }: Pick<CheckedEmbedOptions, "pooling" | "normalize">): VectorSteps {
    const { dense = [], normalizes = true, dimensions } = this.#recipe ?? {};
    return {
      pooling: pooling === undefined ? (this.#recipe?.pooling ?? ["mean"]) : [pooling],
      projected: dense[0]?.inputs,
      last: [
        ...(normalizes && normalize !== false ? [normalized] : []),
        ...(dimensions === undefined ? [] : [(vector: Float32Array) => vector.subarray(0, dimensions)]),
        ...(normalize === true ? [normalized] : []),
      ],
    };
  }
}

/** `vector` divided by its Euclidean length; a zero vector stays zero. */
function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
