/**
 * A model that sees or hears, around one that reads text: `text_config` in its config, a module of its own in the
 * checkpoint. Of text alone it makes what the text model makes of it, and the rest of the checkpoint is not read.
 */
export interface Wrapper {
  /**
   * What `text_config` may have for `model_type`; the first is meant where it says nothing. Those whose logits are
   * scaled behind the head are none of these: the wrapper's own head is a product, and at most capped.
   */
  readonly texts: readonly [string, ...string[]];
  /** What the text model's module is called. Default `language_model`. */
  readonly module?: string;
  /** Whether the head caps logits, as `text_config` says. Default false. */
  readonly capsLogits?: boolean;
  /** Whether the head is the embedding where neither config says. Default false. */
  readonly tiedByDefault?: boolean;
  /** Whether older configs have the fields of `text_config` at the top. Default false. */
  readonly flat?: boolean;
}
