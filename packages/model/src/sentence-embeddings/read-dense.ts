import { RingrankError } from "@ringrank/errors";
import type { ConfigReader } from "../checkpoint/config-reader.js";
import { fileSource } from "../checkpoint/file-source.js";
import { readSafetensorsHeader, type SafetensorsHeader } from "../checkpoint/safetensors.js";
import { type FileIdentity, identityAlone } from "../files/file-identity.js";
import type { FileSource } from "../graph/graph.js";
import { closeFile, openFile } from "../weights/read-at.js";
import type { ModuleFolder } from "./module-folder.js";
import { NotSupported } from "./not-supported.js";
import type { DenseModule, VectorActivation } from "./recipe.js";
import { requireConfig } from "./require-config.js";
import { requireSentenceEmbedding } from "./sentence-embedding.js";

/** By the name of torch's class, which sentence-transformers creates without arguments. */
const activations: ReadonlyMap<string, VectorActivation> = new Map([
  ["Identity", "identity"],
  ["GELU", "gelu"],
  ["Tanh", "tanh"],
  ["ReLU", "relu"],
  ["Sigmoid", "sigmoid"],
  ["SiLU", "silu"],
]);

/** @throws RR_MISSING_FILE, RR_CONFIG, RR_FILE_FORMAT, RR_TENSOR, RR_TYPE */
export function readDense(folder: ModuleFolder): DenseModule {
  const config = requireConfig("Dense", folder);
  requireSentenceEmbedding("Dense", config);
  if (config.boolean("use_residual", { default: false })) {
    throw new NotSupported('the module Dense with "use_residual": true');
  }
  const [inputs, outputs] = [config.integer("in_features"), config.integer("out_features")];
  const activation = activationOf(config);
  const { tensors, file } = headerOf(folder);
  const source = (name: string, dims: readonly number[]): FileSource => {
    const tensor = tensors.get(name);
    if (tensor?.dims.join() === dims.join()) return fileSource(name, tensor);
    const got = tensor === undefined ? "none" : `[${tensor.dims.join(", ")}]`;
    throw new RingrankError(
      "RR_TENSOR",
      `${file.path}: expected the tensor ${name} [${dims.join(", ")}], got ${got}`,
    );
  };
  const hasBias = config.boolean("bias", { default: true });
  return {
    inputs,
    outputs,
    weight: source("linear.weight", [outputs, inputs]),
    bias: hasBias ? source("linear.bias", [outputs]) : undefined,
    activation,
    file,
  };
}

function activationOf(config: ConfigReader): VectorActivation {
  const name = config.string("activation_function", { default: "torch.nn.modules.activation.Tanh" });
  const known = name.startsWith("torch.nn.") && activations.get(name.slice(name.lastIndexOf(".") + 1));
  if (known) return known;
  const supported = [...activations.keys()].join(", ");
  throw new NotSupported(`the module Dense with the activation ${name}; supported are torch's ${supported}`);
}

function headerOf(folder: ModuleFolder): SafetensorsHeader & { readonly file: FileIdentity } {
  const path = folder.file("model.safetensors");
  if (path === undefined) {
    throw new NotSupported(
      `the module Dense in ${folder.name} without model.safetensors; save its weights in this format`,
    );
  }
  const file = openFile(path);
  try {
    const header = readSafetensorsHeader(file);
    if (header.expectedSize === file.size) return { ...header, file: identityAlone(file) };
    const expected = `expected ${header.expectedSize} bytes according to its header, got ${file.size}`;
    throw new RingrankError("RR_FILE_FORMAT", `${path}: ${expected}; download it again`);
  } finally {
    closeFile(file);
  }
}
