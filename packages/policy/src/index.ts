export type { RoleLabel } from "./analysis/labels.js";
export { type Objective, objectives } from "./decide/decide.js";
export {
  type CollectiveData,
  type FactorDecision,
  PartitionPolicy,
  type PolicyData,
  type Prediction,
  policyVersion,
  type UnruledOperator,
  type WeightPlacement,
} from "./policy/partition-policy.js";
export {
  buildPrograms,
  graphInPrecision,
  type PlanOptions,
  planGraph,
  policyFromJSON,
} from "./policy/plan.js";
export { formatBytes } from "./policy/table.js";
export {
  type ActivationPrecision,
  activationPrecisions,
  type Precision,
  type WeightPrecision,
  weightPrecisions,
} from "./precision/precision.js";
export * from "./program/program.js";
