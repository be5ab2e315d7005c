import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { feedForward } from "./feed-forward.js";
import { layerNorms } from "./norms.js";
import { linear } from "./projections.js";

/** Module names. */
export interface EncoderLayerModules {
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly feedForwardNorm: string;
}

export interface EncoderLayer {
  readonly modules: EncoderLayerModules;
  /** Of the residual stream. */
  readonly width: number;
  /** Of the feed-forward. */
  readonly inner: number;
  /** As the config names it. */
  readonly activation: string;
  readonly epsilon: number;
  /** Attention with its output projection. */
  readonly attention: (x: Value) => Value;
  /**
   * Pre-norm, `x + attention(norm(x))`, or post-norm, `norm(x + attention(x))`. Default: post-norm, as in the original
   * transformer.
   */
  readonly norms?: "before" | "after";
}

/** Attention and a feed-forward, each with a residual connection: `[batch, sequence, width]` to the same. */
export function encoderLayer(context: ModelContext, x: Value, layer: EncoderLayer): Value {
  const { g } = context;
  const { modules, width, inner, activation, epsilon, attention, norms = "after" } = layer;
  const norm = layerNorms(context, { width, epsilon });
  const add = (x: Value, run: (x: Value) => Value, name: string): Value =>
    norms === "before" ? g.add(x, run(norm(x, name))) : norm(g.add(x, run(x)), name);
  const { up, down } = modules;
  const fed = (x: Value): Value =>
    feedForward(context, x, { project: linear, up, down, width, inner, activation });
  return add(add(x, attention, modules.attentionNorm), fed, modules.feedForwardNorm);
}
