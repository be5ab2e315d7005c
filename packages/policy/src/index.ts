export type { RoleLabel } from "./analysis/labels.js";
export * from "./decision.js";
export { greatestSize } from "./input-sizes/greatest-size.js";
export { uniteSizes } from "./input-sizes/unite-sizes.js";
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
