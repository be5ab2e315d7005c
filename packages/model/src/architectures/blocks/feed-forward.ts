import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import type { Sublayer } from "./decoder.js";
import { linear, type Project } from "./projections.js";

interface Widths {
  /** Of the residual stream. */
  readonly width: number;
  readonly inner: number;
  readonly bias?: boolean;
  /** As the config names it. */
  readonly activation: string;
}

interface FeedForward extends Widths {
  readonly project: Project;
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

interface FeedForwards extends Widths {
  /** How matrices are stored. Default: like torch's `Linear`. */
  readonly project?: Project;
  /** Module names within the layer. */
  readonly up: string;
  readonly down: string;
}

/** A plain feed-forward in every layer. */
export function feedForwards(context: ModelContext, options: FeedForwards): Sublayer {
  const { project = linear, up, down, ...widths } = options;
  return (x, { module }) =>
    feedForward(context, x, { ...widths, project, up: `${module}.${up}`, down: `${module}.${down}` });
}

export interface GatedFeedForward extends Widths {
  /** Prefix of the module with the matrices. */
  readonly prefix: string;
  /** Whether gate and up are one matrix. Default false. */
  readonly fused?: boolean;
  /** What the matrices are called. Default: Llama's names. */
  readonly names?: Partial<GatedNames>;
}

interface GatedNames {
  readonly gate: string;
  readonly up: string;
  /** Of both in one. */
  readonly gateUp: string;
  readonly down: string;
}

export const gatedNames: GatedNames = {
  gate: "gate_proj",
  up: "up_proj",
  gateUp: "gate_up_proj",
  down: "down_proj",
};

/** `down(act(gate(x)) · up(x))` (https://arxiv.org/abs/2002.05202). */
export function gatedFeedForward(context: ModelContext, x: Value, options: GatedFeedForward): Value {
  const { g } = context;
  const { prefix, width, inner, bias = true, activation, fused = false } = options;
  const names = { ...gatedNames, ...options.names };
  const widen = (name: string, outputs: number): Value =>
    linear(context, x, { name: `${prefix}.${name}`, inputs: width, outputs, bias });
  const [gate, up] = fused
    ? g.split(widen(names.gateUp, 2 * inner), [inner, inner], 2)
    : [widen(names.gate, inner), widen(names.up, inner)];
  return linear(context, g.mul(activate(context, activation, gate!), up!), {
    name: `${prefix}.${names.down}`,
    inputs: inner,
    outputs: width,
    bias,
  });
}

interface GatedFeedForwards extends Pick<GatedFeedForward, "bias" | "fused"> {
  /** As the config names it. Default: what its `hidden_act` says, or silu. */
  readonly activation?: string;
}

/** A gated feed-forward in every layer, whose inner width is `intermediate_size`; without biases by default. */
export function gatedFeedForwards(
  context: ModelContext,
  width: number,
  { bias = false, fused = false, activation }: GatedFeedForwards = {},
): Sublayer {
  const { config } = context;
  const inner = config.integer("intermediate_size");
  const chosen = activation ?? config.string("hidden_act", { default: "silu" });
  return (x, { module }) => {
    const prefix = `${module}.mlp`;
    return gatedFeedForward(context, x, { prefix, width, inner, bias, fused, activation: chosen });
  };
}
