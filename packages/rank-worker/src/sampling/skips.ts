import type { RankKernels } from "../kernels/rank-kernels.js";
import { addressOf } from "./address-of.js";
import type { GumbelNoise } from "./noise.js";

/**
 * Skips tokens that are not among the best, which almost all are not.
 *
 * @param best the height that a token must exceed
 * @returns the start of the first group of eight, counting from `from`, in which a token may, or its logit is NaN; or of
 * the last few tokens
 */
export type Skip = (from: number, best: number) => number;

/** For tokens whose heights are these keys. */
export function skipSmall(keys: Float32Array, kernels?: RankKernels): Skip {
  const address = kernels && addressOf(keys, kernels);
  if (address === undefined) return (from, best) => skipEights(keys, from, best);
  return (from, best) => kernels!.skipSmall(address, from, keys.length, best);
}

/**
 * For tokens whose heights are logits divided by the temperature, plus noise. Without kernels, nothing is skipped.
 *
 * @param firstId the token of the first logit; the others follow
 */
export function skipUnlikely(
  logits: Float32Array,
  temperature: number,
  noise: GumbelNoise,
  firstId: number,
  kernels: RankKernels | undefined,
): Skip {
  const address = kernels && addressOf(logits, kernels);
  if (address === undefined) return (from) => from;
  const { first, second } = noise;
  const [least, most] = [(1 - tolerance) / temperature, (1 + tolerance) / temperature];
  return (from, best) => {
    const lower = best - tolerance * (1000 + Math.abs(best));
    return kernels!.skipUnlikely(address, from, logits.length, firstId, first, second, least, most, lower);
  };
}

/** Of the kernel's arithmetic in float32: some roundings of 2⁻²⁴ each, of numbers of the size of the best or up to 1000. */
const tolerance = 1e-6;

/** Eight comparisons in one condition take less than half the time of a loop over single keys. */
function skipEights(keys: Float32Array, from: number, best: number): number {
  const last = keys.length - 8;
  let at = from;
  while (
    at <= last &&
    keys[at]! <= best &&
    keys[at + 1]! <= best &&
    keys[at + 2]! <= best &&
    keys[at + 3]! <= best &&
    keys[at + 4]! <= best &&
    keys[at + 5]! <= best &&
    keys[at + 6]! <= best &&
    keys[at + 7]! <= best
  ) {
    at += 8;
  }
  return at;
}
