/**
 * Tokens of a decode turn: about half a second's worth, at least 4.
 *
 * @param config of the model, as config.json has it
 */
export function decodeTokens(config, precision) {
  const layers = config.num_hidden_layers ?? config.n_layer;
  const width = config.hidden_size;
  const inner = config.intermediate_size === undefined ? 2.7 * width : config.intermediate_size;
  const parameters = layers * (3 * width * inner + 3 * width * width) + config.vocab_size * width;
  const bytes = parameters * { float32: 4, int8: 1.1, int4: 0.65 }[precision];
  const secondsPerToken = bytes / 20e9 + 100e-6 * layers;
  return Math.min(24, Math.max(4, Math.round(0.5 / secondsPerToken)));
}
