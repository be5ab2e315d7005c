/**
 * For code that receives a decision made elsewhere, or only needs the vocabulary of the planner's options. It does not
 * import the planner, which takes long to load.
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
} from "./partition-policy/partition-policy.js";
export { formatBytes } from "./partition-policy/table.js";
export {
  type ActivationPrecision,
  activationPrecisions,
  type Precision,
  type WeightPrecision,
  weightPrecisions,
} from "./precision/precision.js";
