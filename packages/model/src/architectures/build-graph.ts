import { RingrankError } from "@ringrank/errors";
import { type Checkpoint, ConfigReader, type JsonObject } from "../checkpoint/index.js";
import { type Graph, GraphBuilder } from "../graph/index.js";
import { Parameters } from "./parameters.js";
import { positionsOf } from "./positions.js";
import { architectures } from "./registry.js";
import { wrappers } from "./wrappers/index.js";
import { checkWrapped, textModelOf } from "./wrappers/text-model.js";

/** How many tokens a model accepts. */
export interface ContextLimits {
  /** The most tokens of a sequence; undefined if the model sets no limit. */
  readonly maxContext: number | undefined;
  /** The most tokens of a source, if that differs from the limit of an encoder–decoder's sequences. */
  readonly maxSource?: number;
}

export interface BuiltGraph extends ContextLimits {
  readonly graph: Graph;
  /** The config of what the graph computes: the checkpoint's own, or that of the text model inside it. */
  readonly config: JsonObject;
  /** Names of tensors in the checkpoint that the graph does not use. */
  readonly unused: readonly string[];
}

export interface GraphOptions {
  /** Whether the graph has `last_hidden_state` instead of what the model's head makes of that. Default false. */
  readonly isHeadless?: boolean;
}

/**
 * The graph of a checkpoint's model, in standard operators and without annotations. Reads no parameters, except to
 * compare those that the config ties and the checkpoint stores twice. If the checkpoint only has a config, weights have
 * the source `absent`, and the config's quantization is ignored.
 *
 * @throws RR_UNKNOWN_ARCHITECTURE for a model_type that is not registered; RR_CONFIG for a config that makes no sense
 * or asks for something that the graph would not compute; RR_TENSOR for a parameter that is missing or has the wrong
 * shape
 */
export function buildGraph(
  checkpoint: Pick<Checkpoint, "config" | "tensors">,
  { isHeadless = false }: GraphOptions = {},
): BuiltGraph {
  checkWrapped(checkpoint.config);
  const model = textModelOf(checkpoint.config);
  const config = new ConfigReader(model.config, model.where);
  const modelType = config.string("model_type");
  const architecture = architectures.get(modelType);
  if (architecture === undefined) throw unknownArchitecture(modelType, checkpoint.config);
  if (checkpoint.tensors !== undefined && config.has("quantization_config")) {
    throw config.error(
      '"quantization_config" is set; expected weights in float32, float16 or bfloat16: give the model as it was before ' +
        "it was quantized (precision quantizes it as it is read). A config.json without weights beside it can be planned",
    );
  }
  const g = new GraphBuilder();
  const parameters = new Parameters(g, config, checkpoint.tensors, model.module);
  architecture.build({ g, config, parameters, isHeadless });
  return {
    graph: g.build(),
    config: model.config,
    unused: parameters.unused(architecture.ignoredTensors ?? []),
    ...contextLimits(checkpoint.config),
  };
}

function unknownArchitecture(modelType: string, { text_config: part }: JsonObject): RingrankError {
  const textType = typeof part === "object" && part !== null && "model_type" in part && part.model_type;
  // This includes multimodal models.
  const ofText =
    typeof textType === "string" && architectures.has(textType)
      ? `. What it makes of text, "${textType}", is known: its text_config as a config.json of its own can be planned`
      : "";
  return new RingrankError(
    "RR_UNKNOWN_ARCHITECTURE",
    `no architecture for model_type "${modelType}". Export the model to ONNX, and load that file${ofText}. ` +
      `Known are ${modelTypes().join(", ")}`,
  );
}

/** Every known `model_type` of a config.json, sorted. */
export function modelTypes(): readonly string[] {
  return [...architectures.keys(), ...wrappers.keys()].sort();
}

/** According to a config; for unknown architectures, its number of positions. */
export function contextLimits(json: JsonObject): ContextLimits {
  const { config, where } = textModelOf(json);
  const type = config.model_type;
  const architecture = typeof type === "string" ? architectures.get(type) : undefined;
  const reader = new ConfigReader(config, where);
  return {
    maxContext: (architecture?.maxContext ?? positionsOf)(reader),
    ...(architecture?.maxSource && { maxSource: architecture.maxSource(reader) }),
  };
}
