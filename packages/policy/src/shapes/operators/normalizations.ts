import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";
import { typeAttribute } from "../type-attribute.js";
import { sameAsInput } from "./elementwise.js";

/** The shape of the statistics: size 1 from `axis` on. */
function statistics(node: NodeContext): readonly number[] {
  const dims = node.dims(0);
  const axis = node.axis(node.int("axis", -1), dims.length);
  return dims.map((size, a) => (a < axis ? size : 1));
}

/** Y, and the mean and inverse standard deviation in the type of `stash_type`. */
const layerNormalization: ShapeRule = (node) => {
  const y = { type: node.type(0), dims: node.dims(0) };
  const figures = { type: typeAttribute(node, "stash_type", "float32"), dims: statistics(node) };
  return [y, figures, figures];
};

/** Y, and the inverse root mean square. */
const simplifiedLayerNormalization: ShapeRule = (node) => layerNormalization(node).slice(0, 2);

/** Y in the type of the scale. */
const rmsNormalization: ShapeRule = (node) => {
  statistics(node);
  return [{ type: node.type(1), dims: node.dims(0) }];
};

/**
 * com.microsoft.Skip[Simplified]LayerNormalization: output, mean, inverse standard deviation, and the sum that was
 * normalized.
 */
const skipLayerNormalization: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const figures = { type: "float32" as const, dims: dims.with(-1, 1) };
  return [{ type, dims }, figures, figures, { type, dims }];
};

/**
 * com.microsoft.EmbedLayerNormalization: ids `[batch, sequence]` to `[batch, sequence, hidden]`, mask index, sum of
 * embeddings.
 */
const embedLayerNormalization: ShapeRule = (node) => {
  const ids = node.dims(0);
  const table = node.input(2);
  const embedded = { type: table.type, dims: [...ids, table.dims.at(-1) ?? node.fail("a table as input 2")] };
  return [embedded, { type: "int32", dims: ids.slice(0, 1) }, embedded];
};

/** Normalizations over trailing axes, and embeddings with one. */
export const normalizationRules: ShapeRules = {
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  LpNormalization: sameAsInput,
  MeanVarianceNormalization: sameAsInput,
  "com.microsoft::SimplifiedLayerNormalization": simplifiedLayerNormalization,
  "com.microsoft::SkipLayerNormalization": skipLayerNormalization,
  "com.microsoft::SkipSimplifiedLayerNormalization": skipLayerNormalization,
  "com.microsoft::EmbedLayerNormalization": embedLayerNormalization,
};
