import { type ConfigReader, ropeParameters } from "../../checkpoint/index.js";
import type { Architecture } from "../architecture.js";
import { positionsOf } from "../positions.js";

/** Families whose positions only rotate, so that a rotary scaling may extend their context. */
export function withRotaryContext(
  families: readonly [string, Architecture][],
): readonly [string, Architecture][] {
  return families.map(([type, architecture]) => [type, { maxContext: rotaryContext, ...architecture }]);
}

/**
 * The config's number of positions, or as many as its scaling extends them to. People add YaRN to a config by hand, for
 * `factor` times the original context, and leave the number as it is; dynamic scaling only has an effect beyond it.
 */
function rotaryContext(config: ConfigReader): number | undefined {
  const positions = positionsOf(config);
  if (positions === undefined) return undefined;
  const { scaling } = ropeParameters(config);
  switch (scaling.type) {
    case "yarn":
      return Math.max(positions, Math.floor(scaling.originalMaxPositionEmbeddings * scaling.factor));
    case "dynamic":
      return Math.max(positions, Math.floor(positions * scaling.factor));
    default:
      return positions;
  }
}
