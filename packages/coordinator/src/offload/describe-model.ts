import { RingrankError } from "@ringrank/errors";
import {
  ConfigReader,
  type GenerationConfig,
  type Graph,
  type GraphEntry,
  interfaceNames,
  type JsonObject,
  keptStates,
  rowsLookedUp,
  type ValueInfo,
} from "@ringrank/model";
import { cacheLimits } from "@ringrank/rank-worker";
import type { ModelFacts } from "../model-facts.js";
import type { GenerationDefaults } from "../options/generate-options.js";
import { inContext } from "./embedding-of.js";
import type { OpenedModel } from "./open-model.js";

type Described = Pick<OpenedModel, "graph" | "maxContext" | "maxSource" | "config" | "obstacle"> &
  Partial<Pick<OpenedModel, "embedding">>;

/** What the coordinator needs to know about a model to serve it. */
export function describeModel(
  opened: Described,
  { defaults, eosTokenIds, forcedEosTokenIds, decoderPromptIds }: GenerationConfig,
): ModelFacts {
  const { graph, maxContext, maxSource = maxContext, config, obstacle } = opened;
  const states = keptStates(graph);
  // The ranks fill these in: an empty cache, states of zero, what is known of prompts, and the rows for which `logits`
  // asks.
  const internal: readonly string[] = [
    ...graph.caches.map((cache) => cache.positions),
    ...states.map((state) => state.past),
    interfaceNames.promptLengths,
    interfaceNames.logitRows,
    // Of `project`, for which only the coordinator asks.
    interfaceNames.pooled,
  ];
  const inputs = graph.inputs.filter((input) => !internal.includes(input.name));
  const presents = states.map((state) => state.present);
  const unasked: readonly string[] = [...presents, interfaceNames.sentenceEmbedding];
  const logits = graph.outputs.find((output) => output.name === interfaceNames.logits);
  const rows = lookedUp(graph, inputs);
  const vocabSize = vocabularySize(logits, config) ?? rows[interfaceNames.inputIds];
  for (const id of forcedEosTokenIds) requireInVocabulary("forced_eos_token_id", id, vocabSize);
  const encoder = encoderEntry(graph);
  const tokenInput = encoder === undefined ? interfaceNames.inputIds : interfaceNames.decoderInputIds;
  const tokens = inputs.find(({ name }) => name === tokenInput)?.dims[1];
  const outputs = graph.outputs.map((output) => output.name).filter((name) => !unasked.includes(name));
  const embedding = opened.embedding && inContext(opened.embedding, maxContext);
  return {
    inputs,
    outputs,
    maxContext,
    vocabSize,
    lookedUp: rows,
    generates: states.length > 0 && logits !== undefined,
    cacheLimits: cacheLimits(graph),
    ...(tokens === 1 && { takesOneToken: true }),
    ...(obstacle && { obstacle: obstacle.message }),
    eosIds: eosTokenIds,
    forcedEosIds: forcedEosTokenIds,
    generationDefaults: generationDefaults(defaults),
    ...(embedding && { embedding }),
    ...(encoder && {
      encoder: {
        inputs: encoder.inputs,
        outputs: encoder.outputs.filter((name) => outputs.includes(name)),
        decoderPromptIds,
        maxContext: maxSource,
        vocabSize: rows[interfaceNames.inputIds] ?? vocabSize,
      },
    }),
  };
}

/** From the config for a bare encoder, which has no logits, but does have token ids. */
function vocabularySize(logits: ValueInfo | undefined, config: JsonObject): number | undefined {
  const size = logits?.dims.at(-1);
  if (typeof size === "number") return size;
  return new ConfigReader(config).optionalInteger(["vocab_size", "n_words"]);
}

/** Only checked for tokens that must be chosen; others do not matter. */
function requireInVocabulary(field: string, id: number, vocabSize: number | undefined): void {
  if (vocabSize === undefined || id < vocabSize) return;
  throw new RingrankError(
    "RR_CONFIG",
    `the generation config's ${field}: expected token ids from 0 to ${vocabSize - 1}, got ${id}`,
  );
}

function lookedUp(graph: Graph, inputs: Graph["inputs"]): Record<string, number> {
  const rows = inputs.map(({ name }) => [name, rowsLookedUp(graph, name)] as const);
  return Object.fromEntries(rows.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** The entry of a graph that fills a cache for another. */
function encoderEntry({ caches, entries = {} }: Graph): GraphEntry | undefined {
  const name = caches.find(({ filledBy }) => filledBy !== undefined)?.filledBy;
  return name === undefined ? undefined : entries[name];
}

/** As in transformers: without `do_sample`, the other fields have no effect on the choice. */
function generationDefaults({
  doSample = false,
  temperature = 1,
  ...defaults
}: GenerationConfig["defaults"]): GenerationDefaults {
  const { maxNewTokens, repetitionPenalty, noRepeatNgramSize, ...sampling } = defaults;
  return {
    maxNewTokens,
    repetitionPenalty,
    noRepeatNgramSize,
    ...(doSample ? { temperature, ...sampling } : { temperature: 0 }),
  };
}
