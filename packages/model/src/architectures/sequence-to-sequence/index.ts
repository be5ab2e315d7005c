import type { Architecture } from "../architecture.js";
import { bart } from "./bart.js";
import { blenderbot } from "./blenderbot.js";
import { blenderbotSmall } from "./blenderbot-small.js";
import { fsmt } from "./fsmt.js";
import { led } from "./led.js";
import { m2m100 } from "./m2m-100.js";
import { marian } from "./marian.js";
import { mbart } from "./mbart.js";
import { mvp } from "./mvp.js";
import { pegasus } from "./pegasus.js";
import { plbart } from "./plbart.js";
import { mt5, t5, umt5 } from "./t5.js";

/** Encoder–decoders, by `model_type`. Their graphs have the entries `encode` and `decode`. */
export const sequenceToSequence: ReadonlyMap<string, Architecture> = new Map([
  ["bart", bart],
  ["blenderbot", blenderbot],
  ["blenderbot-small", blenderbotSmall],
  ["fsmt", fsmt],
  ["led", led],
  ["m2m_100", m2m100],
  ["marian", marian],
  ["mbart", mbart],
  ["mt5", mt5],
  ["mvp", mvp],
  ["pegasus", pegasus],
  ["plbart", plbart],
  ["t5", t5],
  ["umt5", umt5],
]);
