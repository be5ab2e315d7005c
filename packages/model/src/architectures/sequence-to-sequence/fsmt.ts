import type { Architecture } from "../architecture.js";
import { saysTied } from "../blocks/tied-weights.js";
import { bartIgnored, buildBart, saysScaled } from "./bart-frame.js";
import { sinusoidsAfterPadding, tabulatedAfterPadding } from "./positions.js";

/**
 * BART with a vocabulary for each side and sinusoidal positions, without a norm of embeddings.
 * https://arxiv.org/abs/1907.06616
 */
export const fsmt: Architecture = {
  build(context) {
    const { config, parameters } = context;
    const vocabularies = {
      encoder: config.integer("src_vocab_size"),
      decoder: config.integer("tgt_vocab_size"),
    };
    const tiedByDefault = false;
    if (saysTied(context, tiedByDefault) && vocabularies.encoder !== vocabularies.decoder) {
      throw config.error(
        `expected "src_vocab_size" to equal "tgt_vocab_size" if "tie_word_embeddings" is true, got ` +
          `${vocabularies.encoder} and ${vocabularies.decoder}`,
      );
    }
    // Checkpoints may store the sinusoids as a table, or leave them out.
    const isStored = parameters.has("model.encoder.embed_positions.weight");
    buildBart(context, {
      places: isStored ? tabulatedAfterPadding(context) : sinusoidsAfterPadding(context),
      norms: "after",
      embeddingNorm: false,
      vocabularies,
      head: "model.decoder.output_projection.weight",
      tiedByDefault,
      logitsBias: false,
      isScaled: saysScaled(context, true),
      defaultActivation: "relu",
    });
  },
  ignoredTensors: bartIgnored,
};
