import type { FactoredGraph } from "../analysis/factored-graph.js";
import type { Role, Roles, WeightUse } from "../analysis/roles.js";
import type { Plan } from "../decide/decide.js";
import type { Factor } from "../factors/factor.js";

/** A plan, with the information it was based on. */
export interface Described {
  readonly factored: FactoredGraph;
  readonly found: Roles;
  readonly plan: Plan;
  /** Where each parameter is read, by its name. */
  readonly uses: ReadonlyMap<string, readonly WeightUse[]>;
  readonly roleOf: ReadonlyMap<Factor, Role>;
  /** Roles that a given policy leaves whole, and a planned one would not for the reason that planning has. */
  readonly leftWhole: ReadonlySet<Role>;
}
