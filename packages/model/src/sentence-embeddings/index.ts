export { readEmbeddingRecipe } from "./read-recipe.js";
export type {
  DenseModule,
  EmbeddingRecipe,
  PoolingMode,
  TextCut,
  UnsupportedRecipe,
} from "./recipe.js";
export { withProjection } from "./with-projection.js";
