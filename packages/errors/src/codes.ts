/** Every code that a {@link RingrankError} can have, and its meaning. Codes are stable; messages are not. */
export const errorCodes = {
  // What the caller asked for.
  RR_OPTION:
    "an option is unknown, outside its documented range, or has no effect in combination with another",
  RR_RANKS: "the number of ranks is not an integer from 1 to 64",
  RR_INPUT:
    "a model input is missing, unknown, or does not match the size of another input; or a position is negative, or " +
    "a number has no row in the table that it is looked up in; or the tokenizer has no id for a part of a text, and " +
    "no unknown token",
  RR_SHAPE: "a tensor has the wrong shape, or nested arrays are ragged",
  RR_TYPE: "a tensor has an element type that this operation does not take",
  RR_TOKEN_ID: "a token id is outside the vocabulary",
  RR_EMPTY_PROMPT: "a prompt has no tokens",
  RR_CONTEXT: "a sequence is longer than the model's context, or a position lies beyond it",
  RR_NO_TOKENIZER: "text was passed to a model that has no tokenizer",
  RR_NO_CHAT_TEMPLATE:
    "messages were passed to a model that has no chat template, or only one that cannot be rendered here",
  RR_NO_GENERATE:
    "the model cannot generate: it has no causal cache, or is an export whose cache is not understood",
  RR_NO_EMBED:
    "the model has no output last_hidden_state, or its modules.json makes vectors of it in a way that is not supported",
  RR_TASK_URL: "the module passed to runRanks cannot be loaded as a task",

  // What the files contain.
  RR_NOT_A_MODEL: "a path or id is not a model",
  RR_MISSING_FILE: "a file that the model refers to, or that an option asks for, is missing",
  RR_PATH: "a file refers to another file outside the model's own directory",
  RR_CACHE:
    "the cache directory for quantized weights cannot be created, is not private to this user, or its disk is full",
  RR_FILE_FORMAT: "a file is corrupt, truncated, hostile or not supported",
  RR_CONFIG: "config.json lacks a field or has a value that makes no sense",
  RR_UNKNOWN_ARCHITECTURE: "no architecture is registered for the config's model_type",
  RR_UNSUPPORTED_SETTING:
    "the generation config has a setting that is not supported and would change the results; a warning, not an error",
  RR_TENSOR: "the checkpoint lacks a tensor, or has it in another shape or type",
  RR_GRAPH: "a graph is malformed: it has a cycle or an undefined value, or uses an operator wrongly",

  // What the policy found.
  RR_POLICY: "a partition policy does not fit this graph or world size",
  RR_NOTHING_SHARDED: "nothing in the model can be sharded, so more ranks would only hold copies",
  RR_MEMORY: "no partition fits memoryPerRank",

  // What happened while running.
  RR_ABORTED: "the caller aborted the work",
  RR_CLOSED: "the model or sequence is closed",
  RR_MISMATCH:
    "ranks called different collectives, or the same one with different lengths or types; or a rank called one inside " +
    "another",
  RR_TIMEOUT: "a rank made no progress for stepTimeoutMs",
  RR_ADDRESS_SPACE: "the process has too little address space for a memory",
  RR_RANK_FAILED: "a rank threw an error",
  RR_RANK_DIED: "a rank's thread ended unexpectedly",
  RR_MODEL_FAILED: "an earlier fault of a rank, which is the cause, ended the model",
} as const;

export type ErrorCode = keyof typeof errorCodes;
