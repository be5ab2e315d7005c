export {
  type Algorithm,
  algorithms,
  type Communicator,
  type RankTask,
  type RunRanksOptions,
  runRanks,
  type Wire,
  wires,
} from "@ringrank/collectives";
export { type ErrorCode, errorCodes, isRingrankError, RingrankError } from "@ringrank/errors";
export type { ChatMessage, TemplateVariables } from "@ringrank/model";
export { type ExportDtype, exportDtypes } from "@ringrank/model/serving";
export {
  type ActivationPrecision,
  activationPrecisions,
  type CollectiveData,
  type FactorDecision,
  type Objective,
  objectives,
  PartitionPolicy,
  type PolicyData,
  type Precision,
  type Prediction,
  type UnruledOperator,
  type WeightPlacement,
  type WeightPrecision,
  weightPrecisions,
} from "@ringrank/policy/decision";
export type { CacheEntry, LoadReport, StepCounters } from "@ringrank/rank-worker";
export type {
  FinishReason,
  GeneratedToken,
  Generation,
  GenerationResult,
  Usage,
} from "./generation/generation.js";
export type { InputValue } from "./inputs/inputs.js";
export type { NestedArray } from "./inputs/nested-array.js";
export { loadModel } from "./loading/load-model.js";
export { planModel } from "./loading/plan-model.js";
export { clearShardCache, listShardCache } from "./loading/shard-cache.js";
export type { Model } from "./model.js";
export type { EmbedOptions } from "./options/embed-options.js";
export { type GenerateOptions, validateGenerateOptions } from "./options/generate-options.js";
export type { LoadOptions, PlanOptions, Progress, RequiredPrompt } from "./options/load-options.js";
export type { RunOptions } from "./options/run-options.js";
export type { Prompt } from "./prompts/prompts.js";
export type { Appended, Sequence, SequenceOptions } from "./sequence.js";
export type { Tensor, TensorOf, TensorType } from "./tensor.js";
