import { isInfinite } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

/**
 * Limits time steps by the config's `time_step_limit`: two numbers, the second possibly infinite. Default: no limit.
 */
export function timeLimits({ g, config }: ModelContext): (time: Value) => Value {
  const limits = config.raw("time_step_limit") ?? [0, Number.POSITIVE_INFINITY];
  const [least, given] = Array.isArray(limits) && limits.length === 2 ? limits : [];
  const most = isInfinite(given) ? Number.POSITIVE_INFINITY : given;
  if (typeof least !== "number" || typeof most !== "number") {
    throw config.error(`expected "time_step_limit" to be two numbers, got ${JSON.stringify(limits)}`);
  }
  return (time) => clip(g, time, least, most);
}

/** A time step is a softplus, so it needs no limit of 0. */
function clip(g: GraphBuilder, time: Value, least: number, most: number): Value {
  const raised = least > 0 ? g.max(time, g.numbers([least])) : time;
  return most < Number.POSITIVE_INFINITY ? g.min(raised, g.numbers([most])) : raised;
}
