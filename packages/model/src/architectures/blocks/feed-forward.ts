import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import { linear, type Projection } from "./projections.js";

interface Widths {
  /** Of the residual stream. */
  readonly width: number;
  readonly inner: number;
  readonly bias?: boolean;
  /** As the config names it. */
  readonly activation: string;
}

interface FeedForward extends Widths {
  readonly project: (context: ModelContext, x: Value, projection: Projection) => Value;
  /** Module names. */
  readonly up: string;
  readonly down: string;
}

/** `down(act(up(x)))`. */
export function feedForward(context: ModelContext, x: Value, options: FeedForward): Value {
  const { project, up, down, width, inner, bias = true, activation } = options;
  const hidden = project(context, x, { name: up, inputs: width, outputs: inner, bias });
  return project(context, activate(context, activation, hidden), {
    name: down,
    inputs: inner,
    outputs: width,
    bias,
  });
}

interface GatedFeedForward extends Widths {
  /** Of the module that holds `gate_proj`, `up_proj` and `down_proj`. */
  readonly prefix: string;
}

/** `down(act(gate(x)) · up(x))` (https://arxiv.org/abs/2002.05202). */
export function gatedFeedForward(context: ModelContext, x: Value, options: GatedFeedForward): Value {
  const { prefix, width, inner, bias = true, activation } = options;
  const widen = (name: string): Value =>
    linear(context, x, { name: `${prefix}.${name}`, inputs: width, outputs: inner, bias });
  const gate = activate(context, activation, widen("gate_proj"));
  return linear(context, context.g.mul(gate, widen("up_proj")), {
    name: `${prefix}.down_proj`,
    inputs: inner,
    outputs: width,
    bias,
  });
}
