/**
 * A decision that was made elsewhere, and the words it is asked for in. Without the planner, which takes long to
 * import.
 */
export { type Objective, objectives } from "./decide/objective.js";
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
export { formatBytes } from "./policy/table.js";
export {
  type ActivationPrecision,
  activationPrecisions,
  type Precision,
  type WeightPrecision,
  weightPrecisions,
} from "./precision/precision.js";
