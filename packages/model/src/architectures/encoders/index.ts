import type { Architecture } from "../architecture.js";
import { bert } from "./bert.js";
import { electra } from "./electra.js";
import { ernie } from "./ernie.js";
import { roberta } from "./roberta.js";

/** Models that read a row at once, in both directions, by `model_type`. */
export const encoders: ReadonlyMap<string, Architecture> = new Map([
  ["bert", bert],
  ["electra", electra],
  ["ernie", ernie],
  ["roberta", roberta],
  ["xlm-roberta", roberta],
]);
