/**
 * llama.cpp's names of the settings and tensors of a HuggingFace model, and its order of their rows
 * (convert_hf_to_gguf.py), by `model_type`.
 */
export const architectures = { llama: llamaFamily("llama"), qwen2: llamaFamily("qwen2"), bloom: bloom() };

function llamaFamily(name) {
  return {
    metadata: (config) => ({
      [`${name}.context_length`]: u32(config.max_position_embeddings),
      [`${name}.embedding_length`]: u32(config.hidden_size),
      [`${name}.block_count`]: u32(config.num_hidden_layers),
      [`${name}.feed_forward_length`]: u32(config.intermediate_size),
      [`${name}.attention.head_count`]: u32(config.num_attention_heads),
      [`${name}.attention.head_count_kv`]: u32(config.num_key_value_heads),
      [`${name}.attention.layer_norm_rms_epsilon`]: f32(config.rms_norm_eps),
      [`${name}.rope.freq_base`]: f32(config.rope_theta),
      [`${name}.rope.dimension_count`]: u32(config.hidden_size / config.num_attention_heads),
      [`${name}.vocab_size`]: u32(config.vocab_size),
    }),
    modules: {
      "model.embed_tokens": "token_embd",
      "model.norm": "output_norm",
      lm_head: "output",
    },
    layer: /^model\.layers\.(\d+)\.(.+)$/,
    layerModules: {
      input_layernorm: "attn_norm",
      "self_attn.q_proj": "attn_q",
      "self_attn.k_proj": "attn_k",
      "self_attn.v_proj": "attn_v",
      "self_attn.o_proj": "attn_output",
      post_attention_layernorm: "ffn_norm",
      "mlp.gate_proj": "ffn_gate",
      "mlp.up_proj": "ffn_up",
      "mlp.down_proj": "ffn_down",
    },
    // Llama's rotary embedding rotates adjacent lanes there and halves of a head here; Qwen2's rotates halves in both.
    rows(module, config) {
      const heads = { attn_q: config.num_attention_heads, attn_k: config.num_key_value_heads }[module];
      if (name !== "llama" || heads === undefined) return undefined;
      const lanes = config.hidden_size / config.num_attention_heads;
      return (row) => {
        const lane = row % lanes;
        return row - lane + (lane % 2) * (lanes / 2) + (lane >> 1);
      };
    },
  };
}

function bloom() {
  return {
    metadata: (config) => ({
      "bloom.context_length": u32(2048),
      "bloom.embedding_length": u32(config.hidden_size),
      "bloom.feed_forward_length": u32(4 * config.hidden_size),
      "bloom.block_count": u32(config.n_layer),
      "bloom.attention.head_count": u32(config.n_head),
      "bloom.attention.head_count_kv": u32(config.n_head),
      "bloom.attention.layer_norm_epsilon": f32(config.layer_norm_epsilon),
      "bloom.vocab_size": u32(config.vocab_size),
    }),
    modules: {
      "transformer.word_embeddings": "token_embd",
      "transformer.word_embeddings_layernorm": "token_embd_norm",
      "transformer.ln_f": "output_norm",
    },
    layer: /^transformer\.h\.(\d+)\.(.+)$/,
    layerModules: {
      input_layernorm: "attn_norm",
      "self_attention.query_key_value": "attn_qkv",
      "self_attention.dense": "attn_output",
      post_attention_layernorm: "ffn_norm",
      "mlp.dense_h_to_4h": "ffn_up",
      "mlp.dense_4h_to_h": "ffn_down",
    },
    // `[head, (q, k, v), lane]` here, `[(q, k, v), head, lane]` there.
    rows(module, config) {
      if (module !== "attn_qkv") return undefined;
      const lanes = config.hidden_size / config.n_head;
      return (row) => {
        const part = Math.floor(row / config.hidden_size);
        const head = Math.floor((row % config.hidden_size) / lanes);
        return (3 * head + part) * lanes + (row % lanes);
      };
    },
  };
}

/** llama.cpp's name of a tensor, and the module it belongs to. */
export function tensorName({ modules, layer, layerModules }, name) {
  const [, module, field] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  const [, index, inner] = layer.exec(module) ?? [];
  const known = index === undefined ? modules[module] : layerModules[inner];
  if (known === undefined) throw new Error(`no name in GGUF is known for the tensor ${name}`);
  return { module: known, name: `${index === undefined ? "" : `blk.${index}.`}${known}.${field}` };
}

function u32(value) {
  return { type: "uint32", value };
}

function f32(value) {
  return { type: "float32", value };
}
