import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import type { AttentionShape } from "../blocks/attention.js";
import { attentionMaskOf, consecutivePositions, type EncoderInput } from "../blocks/encoder-input.js";
import { linear } from "../blocks/projections.js";
import { splitGroups } from "../blocks/query-key-value.js";
import { type BertDifferences, bertHead, bertIgnored, buildBert, type LayerAttention } from "./bert.js";
import { disentangledAttention, distanceEmbeddings } from "./disentangled-attention.js";

/** Also a head of the generator that made the training data. */
export const debertaIgnored: readonly RegExp[] = [...bertIgnored, /^mask_predictions\./];

/** BERT with disentangled attention, with one embedding per distance. https://arxiv.org/abs/2006.03654 */
export const deberta: Architecture = {
  build: (context) =>
    buildBert(context, {
      ...debertaFrame(context),
      attention: (input, shape) => debertaAttention(context, input, shape),
    }),
  ignoredTensors: debertaIgnored,
};

/** ε of norms, if the config does not say. */
export const debertaEpsilon = 1e-7;

/** What both versions have around attention. */
export function debertaFrame(context: ModelContext): Omit<BertDifferences, "attention"> {
  const { g, config } = context;
  const width = config.integer("hidden_size");
  const isLegacy = config.boolean("legacy", { default: true });
  return {
    model: "deberta",
    head: isLegacy
      ? bertHead(context)
      : {
          dense: "lm_predictions.lm_head.dense",
          norm: "lm_predictions.lm_head.LayerNorm",
          activation: config.string("hidden_act", { default: "gelu" }),
          bias: "lm_predictions.lm_head.bias",
        },
    ...(config.boolean("position_biased_input", { default: true }) && {
      positions: (input) => consecutivePositions(g, input),
    }),
    embeddingWidth: config.integer("embedding_size", { default: width }),
    embeddingProjection: { name: "embeddings.embed_proj", bias: false },
    embeddingNorm: "after",
    defaultEpsilon: debertaEpsilon,
    defaultTokenTypes: 0,
  };
}

function debertaAttention(context: ModelContext, input: EncoderInput, shape: AttentionShape): LayerAttention {
  const { g, config, parameters } = context;
  const { keys, queries, terms, reach } = readDeberta(context);
  if (config.boolean("talking_head", { default: false })) {
    throw config.error('"talking_head" is set, which this graph does not compute; expected false');
  }
  const { width, heads, headDim } = shape;
  const mask = attentionMaskOf(g, input);
  const distances =
    reach === undefined
      ? undefined
      : distanceEmbeddings(context, input, {
          table: parameters.get("deberta.encoder.rel_embeddings.weight", [2 * reach, width]),
          reach,
          rowOf: (distance) => Math.min(distance + reach, 2 * reach - 1),
        });
  const perHead = (name: string): Value => g.reshape(parameters.get(name, [width]), [heads, 1, headDim]);
  return (x, prefix) => {
    const self = `${prefix}.self`;
    const project = (name: string, bias: boolean): Value | undefined =>
      distances &&
      linear(context, distances, { name: `${self}.${name}`, inputs: width, outputs: width, bias });
    const fused = linear(context, x, {
      name: `${self}.in_proj`,
      inputs: width,
      outputs: 3 * width,
      bias: false,
    });
    const { query, key, value } = splitGroups(g, fused, shape);
    const mixed = disentangledAttention(context, {
      query: g.add(query, perHead(`${self}.q_bias`)),
      key,
      value: g.add(value, perHead(`${self}.v_bias`)),
      distanceKeys: keys ? project("pos_proj", false) : undefined,
      distanceQueries: queries ? project("pos_q_proj", true) : undefined,
      terms,
      shape,
      input,
      mask,
    });
    return linear(context, mixed, { name: `${prefix}.output.dense`, inputs: width, outputs: width });
  };
}

interface DebertaConfig {
  /** Whether scores have a content-to-position term (`c2p`), which needs keys of positions. */
  readonly keys: boolean;
  /** Whether scores have a position-to-content term (`p2c`), which needs queries of positions. */
  readonly queries: boolean;
  /** The number of terms by which scores are scaled, that of content included. */
  readonly terms: number;
  /** Distances from this one on, on either side, are not distinguished. Undefined if scores only depend on content. */
  readonly reach: number | undefined;
}

/** @throws RR_CONFIG for settings that neither version supports here */
export function readDeberta({ config }: ModelContext): DebertaConfig {
  const list = config.raw("pos_att_type");
  const types =
    typeof list === "string" ? list.toLowerCase().split("|") : (config.optionalStrings("pos_att_type") ?? []);
  const unknown = types.find((type) => type !== "c2p" && type !== "p2c");
  if (unknown !== undefined) {
    throw config.error(`expected "pos_att_type" to list c2p and p2c, got "${unknown}"`);
  }
  const [keys, queries] = [types.includes("c2p"), types.includes("p2c")];
  const reach = config.integer("max_relative_positions", { min: -1, default: -1 });
  const dependsOnDistance = config.boolean("relative_attention", { default: false });
  return {
    keys,
    queries,
    terms: 1 + Number(keys) + Number(queries),
    reach: !dependsOnDistance ? undefined : reach < 1 ? config.integer("max_position_embeddings") : reach,
  };
}
