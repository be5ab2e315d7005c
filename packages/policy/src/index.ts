export type { RoleLabel } from "./analysis/labels.js";
export * from "./decision.js";
export {
  buildPrograms,
  graphInPrecision,
  type PlanOptions,
  planGraph,
  policyFromJSON,
} from "./policy/plan.js";
export * from "./program/program.js";
