import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

interface GatedNorm {
  readonly width: number;
  /** How many equal groups the width is divided into for the norm. */
  readonly groups: number;
  readonly epsilon: number;
  /** Whether the gate multiplies the norm's input, not its output. */
  readonly gateFirst: boolean;
}

/** RMSNorm over groups of the last axis of `[batch, sequence, width]`, with a gate. `name` is the norm's module. */
export function gatedNorm(
  { g, parameters }: ModelContext,
  { width, groups, epsilon, gateFirst }: GatedNorm,
): (x: Value, gate: Value, name: string) => Value {
  const size = width / groups;
  const norm = (x: Value, name: string): Value => {
    const weight = parameters.get(`${name}.weight`, [width]);
    if (groups === 1) return g.rmsNormalization(x, weight, epsilon);
    const ones = g.numbers(new Float32Array(size).fill(1), [size]);
    const apart = g.rmsNormalization(g.reshape(x, [0, 0, groups, size]), ones, epsilon);
    return g.mul(g.reshape(apart, [0, 0, width]), weight);
  };
  return (x, gate, name) => (gateFirst ? norm(g.mul(x, gate), name) : g.mul(norm(x, name), gate));
}
