import { RingrankError } from "@ringrank/errors";
import { type EmbeddingRecipe, type Graph, interfaceNames, type UnsupportedRecipe } from "@ringrank/model";

type Embedding = EmbeddingRecipe | UnsupportedRecipe;

/**
 * A checkpoint's recipe, if it can be followed with this graph. sentence-transformers reads some encoder–decoders with
 * their decoder and others without it, which is not told apart here.
 *
 * @throws RR_CONFIG if a matrix takes vectors of another length than it gets
 */
export function embeddingOf(recipe: Embedding, graph: Graph): Embedding {
  if ("obstacle" in recipe) return recipe;
  if (graph.entries !== undefined) return { obstacle: "an encoder with a decoder" };
  const hidden = graph.outputs.find(({ name }) => name === interfaceNames.lastHiddenState);
  checkLengths(recipe, hidden?.dims.at(-1));
  return recipe;
}

/** With the limit of texts in this context. */
export function inContext(recipe: Embedding, maxContext = Number.POSITIVE_INFINITY): Embedding {
  if ("obstacle" in recipe || recipe.cut.isStated) return recipe;
  const most = Math.min(recipe.cut.maxTokens ?? maxContext, maxContext);
  return { ...recipe, cut: { ...recipe.cut, maxTokens: Number.isFinite(most) ? most : undefined } };
}

function checkLengths({ pooling, dense }: EmbeddingRecipe, width: number | string | undefined): void {
  if (typeof width !== "number") return;
  let length = pooling.length * width;
  for (const { inputs, outputs } of dense) {
    if (inputs !== length) {
      const expected = `expected "in_features" to be ${length}, the length of what it multiplies`;
      throw new RingrankError("RR_CONFIG", `the checkpoint's module Dense: ${expected}, got ${inputs}`);
    }
    length = outputs;
  }
}
