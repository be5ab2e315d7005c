import type { Architecture } from "../architecture.js";
import { albert } from "./albert.js";
import { bert } from "./bert.js";
import { bigBird } from "./big-bird.js";
import { deberta } from "./deberta.js";
import { debertaV2 } from "./deberta-v2.js";
import { distilbert } from "./distilbert.js";
import { electra } from "./electra.js";
import { ernie } from "./ernie.js";
import { esm } from "./esm.js";
import { eurobert } from "./eurobert.js";
import { longformer } from "./longformer.js";
import { megatronBert } from "./megatron-bert.js";
import { modernbert } from "./modernbert.js";
import { mpnet } from "./mpnet.js";
import { nomicBert } from "./nomic-bert.js";
import { rembert } from "./rembert.js";
import { data2vecText, roberta, robertaPreLayerNorm, xlmRobertaXl } from "./roberta.js";
import { roformer } from "./roformer.js";
import { flaubert, xlm } from "./xlm.js";
import { xlnet } from "./xlnet.js";

/** Bidirectional encoders, by `model_type`. */
export const encoders: ReadonlyMap<string, Architecture> = new Map([
  ["albert", albert],
  ["bert", bert],
  ["big_bird", bigBird],
  ["camembert", roberta],
  ["data2vec-text", data2vecText],
  ["deberta", deberta],
  ["deberta-v2", debertaV2],
  ["distilbert", distilbert],
  ["electra", electra],
  ["ernie", ernie],
  ["esm", esm],
  ["eurobert", eurobert],
  ["flaubert", flaubert],
  ["longformer", longformer],
  ["megatron-bert", megatronBert],
  ["modernbert", modernbert],
  ["mpnet", mpnet],
  ["nomic_bert", nomicBert],
  ["rembert", rembert],
  ["roberta", roberta],
  ["roberta-prelayernorm", robertaPreLayerNorm],
  ["roformer", roformer],
  ["xlm", xlm],
  ["xlm-roberta", roberta],
  ["xlm-roberta-xl", xlmRobertaXl],
  ["xlnet", xlnet],
]);
