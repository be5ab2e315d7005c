export { greatestSize } from "./analysis/greatest-size.js";
export type { RoleLabel } from "./analysis/labels.js";
export { uniteSizes } from "./analysis/unite-sizes.js";
export * from "./decision.js";
export {
  buildPrograms,
  graphInPrecision,
  type PlanOptions,
  type ProgramOptions,
  planGraph,
  policyFromJSON,
} from "./plan.js";
export * from "./program/program.js";
export * from "./program/segment-work.js";
export { makeFloatSegment, makeIntegerSegment } from "./program/segments/product-segments.js";
export type { ProductKind } from "./program/stages/matrix-product.js";
