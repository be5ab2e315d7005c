import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { Sublayer } from "../blocks/decoder.js";
import { expertSublayer, gatedExperts } from "../blocks/experts.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";

interface MixtralExperts {
  readonly counts: ExpertCounts;
  /** Of the residual stream. */
  readonly width: number;
  /** Routes rows, `[rows, width]`. */
  readonly route: (rows: Value, module: string) => Routes;
}

/** Experts of Mixtral's size and names, with any router. */
export function mixtralExperts(context: ModelContext, { counts, width, route }: MixtralExperts): Sublayer {
  const { config } = context;
  return expertSublayer(context, {
    counts,
    width,
    module: "block_sparse_moe",
    route,
    run: gatedExperts(context, {
      ...counts,
      width,
      inner: config.integer("intermediate_size"),
      activation: config.string("hidden_act", { default: "silu" }),
      names: { gate: "w1", up: "w3", down: "w2" },
    }),
  });
}
