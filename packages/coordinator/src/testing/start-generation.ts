import { type Detokenize, GeneratedSequence } from "../generation/generated-sequence.js";
import type { Generation } from "../generation/generation.js";
import { GenerationStream } from "../generation/generation-stream.js";
import { checkGenerateOptions, type GenerateOptions } from "../options/generate-options.js";
import type { Scheduler } from "../scheduler/scheduler.js";

let sequences = 0;

/** A generation of ids on a scheduler, with the text of token n being `<n>`. */
export function startGeneration(
  scheduler: Scheduler,
  prompt: readonly number[],
  options: GenerateOptions = {},
  {
    eosIds = [],
    forcedEosIds = [],
    maxContext,
    source,
    detokenize = (token) => `<${token}>`,
  }: {
    eosIds?: readonly number[];
    forcedEosIds?: readonly number[];
    maxContext?: number;
    source?: readonly number[];
    detokenize?: Detokenize;
  } = {},
): Generation {
  const stream = new GenerationStream();
  stream.begin(prompt.length, () => scheduler.wake());
  scheduler.add(
    new GeneratedSequence({
      id: sequences++,
      prompt,
      source,
      options: checkGenerateOptions(options, {}),
      eosIds,
      forcedEosIds,
      maxContext,
      stream,
      detokenize,
    }),
  );
  return stream;
}
