import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { activate } from "../blocks/activations.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, type Sublayer } from "../blocks/decoder.js";
import { rmsNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { normPerHead } from "../blocks/query-key-norm.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/**
 * https://arxiv.org/abs/2509.14233: Llama with norms of queries and keys, and a feed-forward without a gate, with
 * xIELU.
 */
export const apertus: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const angles = rotaryAngles(context, step.positionIds, headDim, {
      defaultTheta: 12_000_000,
      defaultScaling,
    });
    buildDecoder(context, {
      step,
      shape,
      norm: rmsNorms(context, width, 1e-5),
      norms: {
        attention: { before: "attention_layernorm" },
        feedForward: { before: "feedforward_layernorm" },
      },
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        adjust: normPerHead(rmsNorms(context, headDim, 1e-5)),
        angles: () => angles,
      }),
      feedForward: feedForward(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};

const defaultScaling = {
  type: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 8192,
} as const;

function feedForward(context: ModelContext, width: number): Sublayer {
  const { config } = context;
  const inner = config.integer("intermediate_size");
  const activation = config.string("hidden_act", { default: "xielu" });
  return (x, layer) => {
    const module = `${layer.module}.mlp`;
    const up = linear(context, x, { name: `${module}.up_proj`, inputs: width, outputs: inner, bias: false });
    const hidden =
      activation === "xielu" ? xielu(context, up, `${module}.act_fn`) : activate(context, activation, up);
    return linear(context, hidden, {
      name: `${module}.down_proj`,
      inputs: inner,
      outputs: width,
      bias: false,
    });
  };
}

/**
 * xIELU, an activation with learned parameters (https://arxiv.org/abs/2411.13010):
 *
 * ```
 *   β·x + (x > 0 ? αₚ·x² : αₙ·(exp(min(x, ε)) − 1 − x)),  αₚ = softplus(alpha_p),  αₙ = β + softplus(alpha_n)
 * ```
 */
function xielu({ g, parameters }: ModelContext, x: Value, module: string): Value {
  const parameter = (name: string, dims: readonly number[]): Value =>
    parameters.get(`${module}.${name}`, dims);
  const beta = parameter("beta", []);
  const ofPositive = g.softplus(parameter("alpha_p", [1]));
  const ofNegative = g.add(beta, g.softplus(parameter("alpha_n", [1])));
  const decayed = g.sub(g.exp(g.min(x, parameter("eps", []))), g.numbers([1]));
  const positive = g.mul(g.mul(x, x), ofPositive);
  const negative = g.mul(g.sub(decayed, x), ofNegative);
  return g.add(g.mul(x, beta), g.where(g.greater(x, g.numbers([0])), positive, negative));
}
