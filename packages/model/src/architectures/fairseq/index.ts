import type { Architecture } from "../architecture.js";
import { biogpt } from "./biogpt.js";
import { opt } from "./opt.js";
import { xglm } from "./xglm.js";

/** Decoders trained with fairseq, by `model_type`. */
export const fairseqDecoders: ReadonlyMap<string, Architecture> = new Map([
  ["biogpt", biogpt],
  ["opt", opt],
  ["xglm", xglm],
]);
