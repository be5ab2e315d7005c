/**
 * Configurations with the shapes of known models (config.json of the hub's repositories), without settings that only
 * matter to text. `fixed` is a model of negligible size: its time is the overhead of a layer beyond its arithmetic.
 */
const shapes = {
  /** Qwen/Qwen2.5-0.5B: 494M parameters, 14 heads on 2 key heads, biases in q, k, v, tied embeddings. */
  "qwen2.5-0.5b": {
    model_type: "qwen2",
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    vocab_size: 151936,
    max_position_embeddings: 32768,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000,
    hidden_act: "silu",
    tie_word_embeddings: true,
  },
  /**
   * TinyLlama/TinyLlama-1.1B: 1.1B parameters, 32 heads on 4 key heads. Its context is 2048; here it may be exceeded.
   */
  "tinyllama-1.1b": {
    model_type: "llama",
    hidden_size: 2048,
    intermediate_size: 5632,
    num_hidden_layers: 22,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    vocab_size: 32000,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: "silu",
    tie_word_embeddings: false,
  },
  /** bigscience/bloom-560m: 559M parameters, of which the tied embedding is 257M; fused q, k, v; ALiBi. */
  "bloom-560m": {
    model_type: "bloom",
    hidden_size: 1024,
    n_head: 16,
    n_layer: 24,
    vocab_size: 250880,
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
  },
  fixed: {
    model_type: "llama",
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 24,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    vocab_size: 320,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: "silu",
    tie_word_embeddings: true,
  },
};

/** The shapes of real models, which `npm run bench` measures. */
export const realShapes = Object.keys(shapes).filter((name) => name !== "fixed");

/** A shape's config, reduced to `layers` if given. */
export function configOf(shape, layers) {
  const config = shapes[shape];
  if (config === undefined) {
    throw new Error(`--shape: expected one of ${Object.keys(shapes).join(", ")}, got ${shape}`);
  }
  if (layers === undefined) return config;
  const field = config.n_layer === undefined ? "num_hidden_layers" : "n_layer";
  return { ...config, [field]: Math.min(layers, config[field]) };
}

/** The approximate number of a shape's parameters, to which its time is proportional. */
export function parametersOf(shape, layers) {
  const config = configOf(shape, layers);
  const { hidden_size: width, intermediate_size: inner = 2.7 * width, vocab_size: vocabulary } = config;
  return (
    (config.num_hidden_layers ?? config.n_layer) * (3 * width * inner + 3 * width * width) +
    vocabulary * width
  );
}
