export type { RoleLabel } from "./analysis/labels.js";
export * from "./decision.js";
export {
  buildPrograms,
  graphInPrecision,
  type PlanOptions,
  type ProgramOptions,
  planGraph,
  policyFromJSON,
} from "./policy/plan.js";
export type { ProductPlace } from "./program/build.js";
export { makeProductSegment } from "./program/product-segment.js";
export * from "./program/program.js";
