import type { DataType } from "@ringrank/model";
import type { FactoredGraph } from "../../analysis/factored-graph.js";
import { localSize, type RankShare } from "../../factors/shard.js";
import type { SizePair } from "../../shapes/size-pair.js";
import type { LocalGraph } from "./localize.js";

/** A value's type and sizes on one rank. */
export interface LocalShape {
  readonly type: DataType;
  readonly dims: readonly SizePair[];
}

/** By local name. */
export type LocalValues = ReadonlyMap<string, LocalShape>;

export function localValues(factored: FactoredGraph, local: LocalGraph, share: RankShare): LocalValues {
  const values = new Map(local.values);
  for (const [value, dims] of factored.values) {
    const name = local.nameOf(value);
    const type = factored.shapes.get(value)?.type;
    if (name === undefined || type === undefined) continue;
    values.set(name, { type, dims: dims.map((dim) => localSize(dim, share)) });
  }
  return values;
}
