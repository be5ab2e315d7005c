import { RingrankError } from "@ringrank/errors";
import { type Objective, objectives } from "../decide/objective.js";
import { activationPrecisions, type Precision, weightPrecisions } from "../precision/precision.js";
import { policyVersion } from "./partition-policy.js";

/** The decisions in a policy that was written as JSON. */
export interface WrittenPolicy {
  readonly ranks: number;
  readonly objective: Objective;
  readonly graph: string;
  readonly precision: Precision;
  /** Ids of the factors to shard. */
  readonly sharded: readonly number[];
  /** By id of the other factors: why they are whole, as far as the policy says. */
  readonly whole: ReadonlyMap<number, string>;
}

/** @throws RingrankError RR_POLICY: `data` was not returned by `policy.toJSON()` */
export function readPolicyData(data: unknown): WrittenPolicy {
  const policy = asRecord(data, "a policy");
  if (policy.version !== policyVersion)
    fail(`version ${policyVersion}`, policy.version, "Plan again with this version of Ringrank");
  const { ranks, objective, graph, factors } = policy;
  if (typeof ranks !== "number" || !Number.isInteger(ranks) || ranks < 1)
    return fail("ranks to be a whole number", ranks);
  const precision = readPrecision(policy.precision);
  if (typeof graph !== "string") return fail("graph to be a digest", graph);
  if (!Array.isArray(factors)) return fail("factors to be a list", factors);
  const whole = new Map<number, string>();
  const sharded = factors.flatMap((one: unknown): number[] => {
    const { id, sharded, reason } = asRecord(one, "a factor");
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0)
      return fail("a factor's id to be a whole number", id);
    if (typeof sharded !== "boolean") return fail("a factor's sharded to be true or false", sharded);
    if (!sharded) whole.set(id, typeof reason === "string" ? reason : "");
    return sharded ? [id] : [];
  });
  if (new Set(sharded).size !== sharded.length) return fail("every factor once", "a repeated id");
  return { ranks, objective: oneOf("objective", objectives, objective), graph, precision, sharded, whole };
}

function readPrecision(value: unknown): Precision {
  const { weights, activations } = asRecord(value, "a precision");
  return {
    weights: oneOf("weights", weightPrecisions, weights),
    activations: oneOf("activations", activationPrecisions, activations),
  };
}

function oneOf<Choice extends string>(what: string, choices: readonly Choice[], value: unknown): Choice {
  const choice = choices.find((one) => one === value);
  return choice ?? fail(`${what} to be one of ${choices.join(", ")}`, value);
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return fail(`${what} to be an object`, value);
  return value as Readonly<Record<string, unknown>>;
}

function fail(expected: string, got: unknown, advice = "Pass what policy.toJSON() returned"): never {
  const text = JSON.stringify(got) ?? String(got);
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  throw new RingrankError(
    "RR_POLICY",
    `not a partition policy: expected ${expected}, got ${shown}. ${advice}.`,
  );
}
