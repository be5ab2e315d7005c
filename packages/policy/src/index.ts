export type { RoleLabel } from "./analysis/labels.js";
export type { Objective } from "./decide/decide.js";
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
export type { ActivationPrecision, Precision, WeightPrecision } from "./precision/precision.js";
export * from "./program/program.js";
