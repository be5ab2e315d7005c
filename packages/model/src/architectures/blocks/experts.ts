import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import type { Sublayer } from "./decoder.js";
import { type GatedFeedForward, gatedFeedForward, gatedNames } from "./feed-forward.js";
import { denseWeights, type ExpertCounts, type Routes } from "./routing.js";

interface ExpertSublayer {
  readonly counts: ExpertCounts;
  /** Of the residual stream. */
  readonly width: number;
  /** Within the layer's module, the one that holds router and experts; null for itself. Default `mlp`. */
  readonly module?: string | null;
  /** Where rows, `[rows, width]`, go. */
  readonly route: (rows: Value, module: string) => Routes;
  readonly run: RunExperts;
  /** What becomes of the sum over a row's experts: `[rows, …]` to `[rows, width]`. Default: nothing. */
  readonly leave?: (mixed: Value, module: string) => Value;
  /** What is added for every row: `[batch, sequence, width]` to the same. */
  readonly shared?: (x: Value, module: string) => Value;
}

/**
 * A mixture of experts (https://arxiv.org/abs/2101.03961): each row is routed to a few of many feed-forwards. The graph
 * computes every expert for every row, and multiplies by a weight that is 0 except for a few. Whoever runs it may skip
 * what is multiplied by 0.
 */
export function expertSublayer({ g }: ModelContext, options: ExpertSublayer): Sublayer {
  const { counts, width, module: name = "mlp", route, run, leave = (mixed) => mixed, shared } = options;
  return (x, layer) => {
    const module = name === null ? layer.module : `${layer.module}.${name}`;
    const rows = g.reshape(x, [-1, width]);
    const routes = route(rows, module);
    const weights = denseWeights(g, routes, counts.experts);
    const read = routes.growth === undefined ? rows : g.mul(rows, routes.growth);
    const perExpert = g.unsqueeze(g.transpose(weights, [1, 0]), [2]);
    const mixed = g.squeeze(g.reduceSum(g.mul(run(read, module), perExpert), [0]), [0]);
    const output = g.reshapeBy(leave(mixed, module), g.shape(x, 0, 3));
    return shared === undefined ? output : g.add(output, shared(x, module));
  };
}

interface Experts {
  readonly experts: number;
  readonly width: number;
  /** Of each expert. */
  readonly inner: number;
  /** As the config names it. */
  readonly activation: string;
}

/** What every expert makes of every row, `[rows, width]` to `[experts, rows, width]`, by the layer's module. */
export type RunExperts = (rows: Value, module: string) => Value;

/** A feed-forward that is applied to every row, named `name` in the module of the experts. */
export function sharedExpert(
  context: ModelContext,
  { name, ...options }: Omit<GatedFeedForward, "prefix"> & { readonly name: string },
): (x: Value, module: string) => Value {
  return (x, module) => gatedFeedForward(context, x, { ...options, prefix: `${module}.${name}` });
}

/** Experts of one way to store them. */
export type ExpertBlock = (context: ModelContext, sizes: Experts) => RunExperts;

interface GatedExperts extends Experts {
  /** Modules of an expert. Default: Llama's names. */
  readonly names?: { readonly gate: string; readonly up: string; readonly down: string };
}

/**
 * Gated feed-forwards, which are separate tensors in the checkpoint (`experts.0.gate_proj.weight`) and a stack in the
 * graph.
 */
export function gatedExperts(
  context: ModelContext,
  { experts, width, inner, activation, names = gatedNames }: GatedExperts,
): RunExperts {
  const { g, parameters } = context;
  return (rows, module) => {
    const stack = (name: string, outputs: number, inputs: number): Value =>
      parameters.stack((i) => `${module}.experts.${i}.${name}.weight`, experts, [outputs, inputs]);
    const gate = g.matmulTransposed(rows, stack(names.gate, inner, width));
    const up = g.matmulTransposed(rows, stack(names.up, inner, width));
    const hidden = g.mul(activate(context, activation, gate), up);
    return g.matmulTransposed(hidden, stack(names.down, width, inner));
  };
}

/**
 * Feed-forwards without a gate, a tensor each in the checkpoint (`experts.0.up_proj.weight`) and a stack in the graph.
 */
export function plainExperts(
  context: ModelContext,
  { experts, width, inner, activation }: Experts,
): RunExperts {
  const { g, parameters } = context;
  return (rows, module) => {
    const stack = (name: string, outputs: number, inputs: number): Value =>
      parameters.stack((i) => `${module}.experts.${i}.${name}.weight`, experts, [outputs, inputs]);
    const hidden = activate(context, activation, g.matmulTransposed(rows, stack("up_proj", inner, width)));
    return g.matmulTransposed(hidden, stack("down_proj", width, inner));
  };
}

interface StackedExperts extends Experts {
  /** Tensors within the layer's module. Default: `experts.gate_up_proj` and `experts.down_proj`. */
  readonly names?: { readonly gateUp: string; readonly down: string };
  /**
   * Whether they are `[experts, outputs, inputs]` instead of `[experts, inputs, outputs]`. Default: as they are stored
   * since transformers transposed them in version 5.
   */
  readonly outputsFirst?: boolean;
}

/** Like {@link gatedExperts}, but stored as stacks, with gate and up side by side in one matrix. */
export function stackedExperts(
  context: ModelContext,
  { experts, width, inner, activation, names = stackedNames, outputsFirst }: StackedExperts,
): RunExperts {
  const { g, parameters } = context;
  const dims = { gateUp: [2 * inner, width], down: [width, inner] } as const;
  return (rows, module) => {
    const nameOf = (part: keyof typeof dims): string => `${module}.${names[part]}`;
    // Either matrix may be square.
    const isOutputsFirst =
      outputsFirst ??
      (parameters.hasShape(nameOf("gateUp"), [experts, ...dims.gateUp]) &&
        parameters.hasShape(nameOf("down"), [experts, ...dims.down]));
    const project = (x: Value, part: keyof typeof dims): Value => {
      const [outputs, inputs] = dims[part];
      return isOutputsFirst
        ? g.matmulTransposed(x, parameters.get(nameOf(part), [experts, outputs, inputs]))
        : g.matmul(x, parameters.get(nameOf(part), [experts, inputs, outputs]));
    };
    const [gate, up] = g.split(project(rows, "gateUp"), [inner, inner], 2);
    return project(g.mul(activate(context, activation, gate!), up!), "down");
  };
}

const stackedNames = { gateUp: "experts.gate_up_proj", down: "experts.down_proj" };
