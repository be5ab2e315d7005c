import type { Architecture } from "./architecture.js";
import { encoders } from "./encoders/index.js";
import { expertFamilies } from "./experts/index.js";
import { fairseqDecoders } from "./fairseq/index.js";
import { gpts } from "./gpt/index.js";
import { llamaFamilies } from "./llama/index.js";
import { recurrentFamilies } from "./recurrent/index.js";
import { sequenceToSequence } from "./sequence-to-sequence/index.js";

/** All architectures, by the `model_type` of config.json. */
export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ...encoders,
  ...sequenceToSequence,
  ...expertFamilies,
  ...fairseqDecoders,
  ...gpts,
  ...llamaFamilies,
  ...recurrentFamilies,
]);
