import type { Architecture } from "../architecture.js";
import { albert } from "./albert.js";
import { bert } from "./bert.js";
import { deberta } from "./deberta.js";
import { debertaV2 } from "./deberta-v2.js";
import { distilbert } from "./distilbert.js";
import { electra } from "./electra.js";
import { ernie } from "./ernie.js";
import { esm } from "./esm.js";
import { longformer } from "./longformer.js";
import { modernbert } from "./modernbert.js";
import { mpnet } from "./mpnet.js";
import { nomicBert } from "./nomic-bert.js";
import { data2vecText, roberta } from "./roberta.js";
import { roformer } from "./roformer.js";
import { xlm } from "./xlm.js";
import { xlnet } from "./xlnet.js";

/** Models that read a row at once, in both directions, by `model_type`. */
export const encoders: ReadonlyMap<string, Architecture> = new Map([
  ["albert", albert],
  ["bert", bert],
  ["camembert", roberta],
  ["data2vec-text", data2vecText],
  ["deberta", deberta],
  ["deberta-v2", debertaV2],
  ["distilbert", distilbert],
  ["electra", electra],
  ["ernie", ernie],
  ["esm", esm],
  ["longformer", longformer],
  ["modernbert", modernbert],
  ["mpnet", mpnet],
  ["nomic_bert", nomicBert],
  ["roberta", roberta],
  ["roformer", roformer],
  ["xlm", xlm],
  ["xlm-roberta", roberta],
  ["xlnet", xlnet],
]);
