import { interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { AttentionShape } from "../blocks/attention.js";
import { decoderStep } from "../blocks/causal-step.js";
import { DecoderAttention } from "../blocks/decoder-attention.js";
import { type EmbeddingTable, embedding } from "../blocks/embedding.js";
import { type AttentionModules, encoderSelfAttention } from "../blocks/encoder-attention.js";
import {
  attentionMaskOf,
  consecutivePositions,
  type EncoderInput,
  encoderInput,
} from "../blocks/encoder-input.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import type { Prompt } from "../blocks/prompt.js";
import { saysTied } from "../blocks/tied-weights.js";
import type { PlaceEmbedding, Places } from "./positions.js";
import { type Side, shapeOfSide } from "./side.js";

/** What differs between families with this graph. */
export interface BartDifferences {
  /** The prefix of tensor names. Default `model`. */
  readonly model?: string;
  /** Rows of each side's own token embedding. Default: one embedding for both, `shared`, of `vocab_size` rows. */
  readonly vocabularies?: Readonly<Record<Side, number>> | undefined;
  /** Whether the sides' own token embeddings are tied, too, if the decoder's is tied to the head. Default true. */
  readonly tiesSides?: boolean;
  /** Name of the head's own matrix, used if it is not tied. Default `lm_head.weight`. */
  readonly head?: string;
  /** Whether token embeddings and head are tied if the config does not say. Default true. */
  readonly tiedByDefault?: boolean;
  readonly places: PlaceEmbedding;
  /** Pre-norm, with a norm after the last layer, or post-norm. */
  readonly norms: "before" | "after";
  /** Whether the embeddings are normed. */
  readonly embeddingNorm: boolean;
  /** The side that norms token embeddings before it adds positions, instead of their sum. Default: neither. */
  readonly normsWordsOf?: Side;
  /** Whether logits have a bias. Default true. */
  readonly logitsBias?: boolean;
  /** Whether the embeddings are scaled by √width. Default: {@link saysScaled}, false if the config does not say. */
  readonly isScaled?: boolean;
  /** Activation of feed-forwards, if the config does not say. Default `gelu`. */
  readonly defaultActivation?: string;
  /** The encoder's self-attention. Default: full attention with a mask of padding. */
  readonly attention?: (input: EncoderInput, shape: AttentionShape) => LayerAttention;
  /** Keys and values that `module` adds to those of an attention in every layer, by layer. Default: none. */
  readonly prompts?: (module: string, shape: AttentionShape) => (layer: number) => Prompt;
}

/** Self-attention with the module `prefix`, in a layer given by its index. */
type LayerAttention = (x: Value, prefix: string, layer: number) => Value;

/** A buffer, and position tables of families that compute positions. */
export const bartIgnored: readonly RegExp[] = [/(^|\.)embed_positions\.weights?$/, /(^|\.)version$/];

/**
 * An encoder, and a decoder that attends to its output; by default with one matrix for both token embeddings and the
 * head.
 */
export function buildBart(context: ModelContext, differences: BartDifferences): void {
  const { g, config } = context;
  if (config.boolean("is_decoder", { default: false })) {
    throw config.error('"is_decoder" is set; expected an encoder with a decoder');
  }
  const { model = "model" } = differences;
  const layer = (index: number) => `${model}.decoder.layers.${index}`;
  const shape = shapeOfSide(config, "decoder");
  const { prompts } = differences;
  const attention = new DecoderAttention(context, {
    shape,
    own: (index) => modulesOf(`${layer(index)}.self_attn`),
    cross: (index) => modulesOf(`${layer(index)}.encoder_attn`),
    ...(prompts && {
      prompts: () => ({
        own: prompts(`${model}.decoder.self_attn_prompt`, shape),
        cross: prompts(`${model}.decoder.cross_attn_prompt`, shape),
      }),
    }),
  });
  const bart = new Bart(context, differences);
  g.entry("encode", () => attention.fill(bart.encode()));
  g.entry("decode", () => bart.decode(attention));
}

class Bart {
  readonly #context: ModelContext;
  readonly #differences: BartDifferences;
  readonly #model: string;
  readonly #width: number;
  readonly #tables: Readonly<Record<Side | "head", EmbeddingTable>>;

  constructor(context: ModelContext, differences: BartDifferences) {
    const { config } = context;
    this.#context = context;
    this.#differences = differences;
    this.#model = differences.model ?? "model";
    this.#width = config.integer("d_model");
    this.#tables = this.#findTables();
  }

  /** Adds the output `last_hidden_state`, `[batch, source, width]`, and returns it. */
  encode(): Value {
    const { g, config } = this.#context;
    const shape = shapeOfSide(config, "encoder");
    const input = encoderInput(g, "source");
    const attention = this.#differences.attention?.(input, shape) ?? this.#fullAttention(input, shape);
    const places = { inputIds: input.inputIds, positions: () => consecutivePositions(g, input) };
    let x = this.#embed("encoder", places);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `${this.#model}.encoder.layers.${layer}`;
      x = this.#sublayer(x, `${prefix}.self_attn_layer_norm`, (x) =>
        attention(x, `${prefix}.self_attn`, layer),
      );
      x = this.#feedForward(x, "encoder", prefix);
    }
    const hidden = this.#lastNorm(x, "encoder");
    g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "source", this.#width]);
    return hidden;
  }

  decode(attention: DecoderAttention): void {
    const { g, config } = this.#context;
    const step = decoderStep(g);
    const { own, cross } = attention.open(step);
    let x = this.#embed("decoder", { inputIds: step.inputIds, positions: () => step.positionIds });
    for (let layer = 0; layer < shapeOfSide(config, "decoder").layers; layer++) {
      const prefix = `${this.#model}.decoder.layers.${layer}`;
      x = this.#sublayer(x, `${prefix}.self_attn_layer_norm`, (x) => own(x, layer));
      x = this.#sublayer(x, `${prefix}.encoder_attn_layer_norm`, (x) => cross(x, layer));
      x = this.#feedForward(x, "decoder", prefix);
    }
    const { logitsBias = true, head = "lm_head.weight" } = this.#differences;
    const table = this.#tables.head;
    languageHead(this.#context, this.#lastNorm(selectRows(g, x, this.#width), "decoder"), {
      table,
      separate: head,
      isTied: this.#saysTied(),
      ...(logitsBias && { bias: "final_logits_bias", biasDims: [1, table.rows] }),
    });
  }

  #saysTied(): boolean {
    return saysTied(this.#context, this.#differences.tiedByDefault ?? true);
  }

  /** The token embeddings: each side's, and the one that the head may be tied to. */
  #findTables(): Readonly<Record<Side | "head", EmbeddingTable>> {
    const { config, parameters } = this.#context;
    const { vocabularies, tiesSides = true } = this.#differences;
    const width = this.#width;
    const nameOf = (side: Side): string => `${this.#model}.${side}.embed_tokens.weight`;
    if (vocabularies === undefined) {
      const shared = { name: `${this.#model}.shared.weight`, rows: config.integer("vocab_size"), width };
      const of = (side: Side) => ({ ...shared, name: parameters.tied(nameOf(side), shared.name) });
      return { encoder: of("encoder"), decoder: of("decoder"), head: shared };
    }
    const decoder = { name: nameOf("decoder"), rows: vocabularies.decoder, width };
    const own = nameOf("encoder");
    const name = tiesSides && this.#saysTied() ? parameters.tied(own, decoder.name) : own;
    return { encoder: { name, rows: vocabularies.encoder, width }, decoder, head: decoder };
  }

  #fullAttention(input: EncoderInput, shape: AttentionShape): LayerAttention {
    const biases = [attentionMaskOf(this.#context.g, input)];
    const promptOf = this.#differences.prompts?.(`${this.#model}.encoder.self_attn_prompt`, shape);
    return (x, prefix, layer) =>
      encoderSelfAttention(this.#context, x, {
        modules: modulesOf(prefix),
        shape,
        biases,
        prompt: promptOf?.(layer),
      });
  }

  #embed(side: Side, places: Places): Value {
    const { g } = this.#context;
    const words = embedding(this.#context, places.inputIds, this.#tables[side]);
    const { isScaled = saysScaled(this.#context, false), embeddingNorm, normsWordsOf } = this.#differences;
    const scaled = isScaled ? g.mul(words, g.numbers([Math.sqrt(this.#width)])) : words;
    const norm = (x: Value): Value =>
      embeddingNorm ? this.#norm(x, `${this.#model}.${side}.layernorm_embedding`) : x;
    const place = this.#differences.places(places, side);
    return normsWordsOf === side ? g.add(norm(scaled), place) : norm(g.add(scaled, place));
  }

  #sublayer(x: Value, norm: string, run: (x: Value) => Value): Value {
    const { g } = this.#context;
    return this.#differences.norms === "before"
      ? g.add(x, run(this.#norm(x, norm)))
      : this.#norm(g.add(x, run(x)), norm);
  }

  #feedForward(x: Value, side: Side, prefix: string): Value {
    const { config } = this.#context;
    const { defaultActivation = "gelu" } = this.#differences;
    return this.#sublayer(x, `${prefix}.final_layer_norm`, (x) =>
      feedForward(this.#context, x, {
        project: linear,
        up: `${prefix}.fc1`,
        down: `${prefix}.fc2`,
        width: this.#width,
        inner: config.integer(`${side}_ffn_dim`),
        activation: config.string("activation_function", { default: defaultActivation }),
      }),
    );
  }

  #lastNorm(x: Value, side: Side): Value {
    return this.#differences.norms === "before" ? this.#norm(x, `${this.#model}.${side}.layer_norm`) : x;
  }

  #norm(x: Value, name: string): Value {
    return layerNorm(this.#context, x, { name, width: this.#width, epsilon: 1e-5 });
  }
}

/** Whether the config says that embeddings are scaled. */
export function saysScaled({ config }: ModelContext, byDefault: boolean): boolean {
  return config.boolean("scale_embedding", { default: byDefault });
}

function modulesOf(prefix: string): AttentionModules {
  return {
    query: `${prefix}.q_proj`,
    key: `${prefix}.k_proj`,
    value: `${prefix}.v_proj`,
    output: `${prefix}.out_proj`,
  };
}
