/** Every code a {@link RingrankError} can carry, and what it means. Codes are stable; messages are not. */
export const errorCodes = {
  // What the caller asked for.
  RR_OPTION: "an option is unknown, outside its documented range, or without effect beside another",
  RR_RANKS: "the number of ranks is not an integer from 1 to 64",
  RR_INPUT:
    "a model input is missing, unknown, or refers to another input of the wrong size; or a position is " +
    "negative, or a number has no row in the table it is looked up in; or the tokenizer has no id for a part of a " +
    "text, nor an unknown token",
  RR_SHAPE: "a tensor has the wrong shape, or nested arrays are ragged",
  RR_TYPE: "a tensor has an element type that this operation does not take",
  RR_TOKEN_ID: "a token id lies outside the vocabulary",
  RR_EMPTY_PROMPT: "a prompt has no tokens",
  RR_CONTEXT: "a sequence is longer than the model's context, or a position lies beyond it",
  RR_NO_TOKENIZER: "text was given to a model that has no tokenizer",
  RR_NO_CHAT_TEMPLATE:
    "messages were given to a model that has no chat template, or none that can be rendered here",
  RR_NO_GENERATE:
    "the model has no causal cache, or its export one that is not understood, so it cannot generate",
  RR_NO_EMBED: "the model gives no last_hidden_state, so it has nothing to pool",
  RR_TASK_URL: "the module given to runRanks cannot be loaded as a task",

  // What the files hold.
  RR_NOT_A_MODEL: "a path or id is not a model",
  RR_MISSING_FILE: "a file that the model refers to, or that an option asks for, is missing",
  RR_PATH: "a file named inside a file lies outside the model's own directory",
  RR_CACHE:
    "the directory of the cache of quantized weights cannot be made, or is not this user's alone, or has no room",
  RR_FILE_FORMAT: "a file is corrupt, truncated, hostile or not supported",
  RR_CONFIG: "config.json lacks a field or holds a value that makes no sense",
  RR_UNKNOWN_ARCHITECTURE: "no architecture is registered for the config's model_type",
  RR_UNSUPPORTED_SETTING:
    "the generation config sets what would change results and is not supported; a warning, not an error",
  RR_TENSOR: "the checkpoint lacks a tensor, or holds it in another shape or type",
  RR_GRAPH: "a graph is malformed: a cycle, an undefined value, an operator used wrongly",

  // What the policy found.
  RR_POLICY: "a partition policy does not fit this graph or world size",
  RR_NOTHING_SHARDED: "nothing in the model can be sharded, so more than one rank is a silent copy",
  RR_MEMORY: "no partition fits memoryPerRank",

  // What happened while running.
  RR_ABORTED: "the work was aborted by the caller",
  RR_CLOSED: "the model or sequence is closed",
  RR_MISMATCH: "ranks met in a collective with different operations, lengths or types",
  RR_TIMEOUT: "a rank made no progress for stepTimeoutMs",
  RR_ADDRESS_SPACE: "the system gives the process too few addresses for a memory",
  RR_RANK_FAILED: "a rank threw an error",
  RR_RANK_DIED: "a rank's thread ended before it was asked to",
  RR_MODEL_FAILED: "the model was ended by an earlier fault of a rank, which is the cause",
} as const;

export type ErrorCode = keyof typeof errorCodes;
