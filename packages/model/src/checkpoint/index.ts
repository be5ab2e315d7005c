export { isInfinite, isJsonObject, type JsonObject, type JsonValue } from "../files/json.js";
export { type Checkpoint, type CheckpointFile, checkPayload, openCheckpoint } from "./checkpoint.js";
export { ConfigReader, configLimits, type FieldNames, type Range } from "./config-reader.js";
export { fileSource } from "./file-source.js";
export { type GenerationConfig, type GenerationDefaults, readGenerationConfig } from "./generation-config.js";
export { type RopeOptions, type RopeParameters, ropeParameters } from "./rope-parameters.js";
export type { RopeScaling } from "./rope-scaling.js";
export type { SafetensorsHeader, StoredTensor } from "./safetensors.js";
