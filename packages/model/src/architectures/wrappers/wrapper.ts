/**
 * A multimodal model around a text model, which is `text_config` in its config and a module of its own in the
 * checkpoint. For text alone, it computes the same as the text model; the rest of the checkpoint is not read.
 */
export interface Wrapper {
  /**
   * Possible values of `model_type` in `text_config`; the first is the default. Models that scale their logits are not
   * among them, since the wrapper's own head only multiplies, and caps logits at most.
   */
  readonly texts: readonly [string, ...string[]];
  /** The text model's module. Default `language_model`. */
  readonly module?: string;
  /** Whether the head caps logits as `text_config` says. Default false. */
  readonly capsLogits?: boolean;
  /** Whether the head is the embedding if neither config says. Default false. */
  readonly tiedByDefault?: boolean;
  /** Whether older configs have the fields of `text_config` at the top level. Default false. */
  readonly flat?: boolean;
}
