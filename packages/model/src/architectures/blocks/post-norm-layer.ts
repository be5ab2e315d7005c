import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { feedForward } from "./feed-forward.js";
import { layerNorm } from "./norms.js";
import { linear } from "./projections.js";

/** Module names. */
export interface PostNormModules {
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly feedForwardNorm: string;
}

export interface PostNormLayer {
  readonly modules: PostNormModules;
  /** Of the residual stream. */
  readonly width: number;
  /** Of the feed-forward. */
  readonly inner: number;
  /** As the config names it. */
  readonly activation: string;
  readonly epsilon: number;
  /** Attention with its output projection. */
  readonly attention: (x: Value) => Value;
}

/** The first transformer's layer, `norm(x + attention(x))`, then `norm(x + feedForward(x))`. */
export function postNormLayer(context: ModelContext, x: Value, layer: PostNormLayer): Value {
  const { g } = context;
  const { modules, width, inner, activation, epsilon, attention } = layer;
  const attended = layerNorm(context, g.add(x, attention(x)), {
    name: modules.attentionNorm,
    width,
    epsilon,
  });
  const fed = feedForward(context, attended, {
    project: linear,
    up: modules.up,
    down: modules.down,
    width,
    inner,
    activation,
  });
  return layerNorm(context, g.add(attended, fed), { name: modules.feedForwardNorm, width, epsilon });
}
