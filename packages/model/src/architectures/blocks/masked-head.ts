import { interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import type { EmbeddingTable } from "./embedding.js";
import { layerNorm, type Norm } from "./norms.js";
import { linear } from "./projections.js";
import { headWeight, saysTied } from "./tied-weights.js";

export interface MaskedHead {
  /** The embedding, which is also the head's matrix unless `tie_word_embeddings` is false and it has its own. */
  readonly table: EmbeddingTable;
  /** Of the encoder's output. */
  readonly width: number;
  /** Applied before the product with the vocabulary: `norm(act(dense(x)))`. Default: nothing. */
  readonly transform?: {
    /** Module name. */
    readonly dense: string;
    readonly bias?: boolean;
    /** As configs name it. */
    readonly activation: string;
    readonly norm: Omit<Norm, "width">;
  };
  /** The head's own tensor, `[vocabulary, table.width]`, used if it is not tied. Default: none, it is always tied. */
  readonly separate?: string;
  /**
   * The width of the head's own tensor, for a head that is never tied. Default: it may be tied, and has the table's
   * width.
   */
  readonly ownWidth?: number;
  /** Whether the head is the embedding if the config does not say. Default true. */
  readonly tiedByDefault?: boolean;
  /** Name of the tensor that is added to the logits, `[vocabulary]`. Default: none. */
  readonly bias?: string;
  /** Another name for the bias in checkpoints, usually of a copy. If the two differ, this one is used. */
  readonly biasAlias?: string;
}

/**
 * Adds an encoder's outputs, computed from its last hidden state, `[batch, sequence, width]`: the logits of masked
 * language modelling for every token, `[batch, sequence, vocabulary]`, and that state itself. If the checkpoint is of
 * the bare encoder, without a head (as in sentence embedding models), only the state. A head that is the embedding and
 * nothing else is in every checkpoint. If texts are embedded, only the state as well.
 */
export function maskedHead(context: ModelContext, hidden: Value, head: MaskedHead): void {
  const { g, parameters } = context;
  const { width, transform, separate, bias } = head;
  const own = [transform && `${transform.dense}.weight`, separate, bias].filter((name) => name !== undefined);
  const isTable = transform === undefined && bias === undefined && isTied(context, head);
  if (context.isHeadless) ignoreHead(context, head);
  else if (isTable || !parameters.lacks(own)) maskedLogits(context, hidden, head);
  g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "sequence", width]);
}

function ignoreHead(
  { parameters }: ModelContext,
  { transform, separate, bias, biasAlias }: MaskedHead,
): void {
  const modules = transform === undefined ? [] : [transform.dense, transform.norm.name];
  const ofModules = modules.flatMap((module) => [`${module}.weight`, `${module}.bias`]);
  for (const name of [...ofModules, separate, bias, biasAlias])
    if (name !== undefined) parameters.ignore(name);
}

function maskedLogits(context: ModelContext, hidden: Value, head: MaskedHead): void {
  const { g, parameters } = context;
  const { width, transform, separate, ownWidth, bias, biasAlias } = head;
  const table = { ...head.table, width: ownWidth ?? head.table.width };
  let x = hidden;
  if (transform !== undefined) {
    const { dense, activation, norm } = transform;
    const projection = { name: dense, inputs: width, outputs: table.width, bias: transform.bias ?? true };
    x = activate(context, activation, linear(context, x, projection));
    x = layerNorm(context, x, { ...norm, width: table.width });
  }
  const weight = headWeight(context, table, separate, isTied(context, head));
  const product = g.matmulTransposed(x, weight);
  const storedBias = bias !== undefined && biasAlias !== undefined ? parameters.tied(biasAlias, bias) : bias;
  const logits =
    storedBias === undefined ? product : g.add(product, parameters.get(storedBias, [table.rows], biasAlias));
  g.output(interfaceNames.logits, logits, "float32", ["batch", "sequence", table.rows]);
}

function isTied(context: ModelContext, { ownWidth, tiedByDefault = true }: MaskedHead): boolean {
  return ownWidth === undefined && saysTied(context, tiedByDefault);
}
