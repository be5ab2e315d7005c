import { RingrankError } from "@ringrank/errors";
import { allocate, bytesOf } from "@ringrank/model/weights";
import type { LocalValue } from "@ringrank/policy";
import type { Tensor } from "onnxruntime-node";
import type { CompiledEntry } from "../execution/compile-entry.js";
import { gatherShards, type Part, totalLength } from "../execution/gather-shards.js";
import { type RunContext, type RunOutcome, runEntry } from "../execution/run-entry.js";
import { resolveSizes } from "../execution/size-product.js";
import type { RunRequest, TensorMessage } from "../protocol.js";
import { elementCount } from "../tensors/element-types.js";
import { fromMessage, toMessage } from "../tensors/tensor.js";
import { names } from "./interface-names.js";
import { lastRows, runInputs } from "./run-inputs.js";

/**
 * Runs a whole entry on given inputs.
 *
 * @returns whole tensors, the same on every rank; logits as `[batch, sequence or 1, vocabulary]`
 * @throws RR_INPUT if an output is unknown
 */
export async function runRequest(
  compiled: CompiledEntry,
  request: RunRequest,
  context: RunContext,
): Promise<Record<string, TensorMessage>> {
  const { entry } = compiled;
  const given = new Map(
    Object.entries(request.inputs).map(([name, message]) => [name, fromMessage(message)]),
  );
  const inputs = runInputs(entry, given, request.logits);
  const outcome = await runEntry(compiled, inputs, context);
  const outputs: [string, TensorMessage][] = request.outputs.map((name) => {
    const declared = entry.outputs.find((output) => output.name === name);
    if (declared === undefined) {
      const known = entry.outputs.map((output) => output.name).join(", ");
      throw new RingrankError("RR_INPUT", `expected outputs among ${known}; got "${name}"`);
    }
    const whole = wholeOutput(declared, outcome, context);
    return [name, name === names.logits ? shapeLogits(whole, inputs, given, request.logits) : whole];
  });
  return Object.fromEntries(outputs);
}

function wholeOutput(
  declared: LocalValue,
  { outputs, bindings }: RunOutcome,
  { communicator }: RunContext,
): Part {
  const value = outputs.get(declared.name);
  if (declared.shard === undefined) {
    if (value === undefined)
      throw new RingrankError("RR_POLICY", `expected the entry to give "${declared.name}"`);
    return toMessage(value);
  }
  const { shard } = declared;
  if (value !== undefined) return gatherShards(communicator, toMessage(value), shard);
  const own = totalLength(shard.intervals[communicator.rank] ?? []);
  const dims = resolveSizes(declared.dims, bindings).with(shard.axis, own);
  // A rank without units has nothing to give, and still meets the others.
  return gatherShards(
    communicator,
    { type: declared.type, dims, data: allocate(declared.type, elementCount(dims)) },
    shard,
  );
}

/** `[rows, vocabulary]` or `[batch, sequence, vocabulary]` as `[batch, sequence or 1, vocabulary]`. */
function shapeLogits(
  logits: Part,
  inputs: ReadonlyMap<string, Tensor>,
  given: ReadonlyMap<string, Tensor>,
  wanted: "all" | "last",
): Part {
  const ids = inputs.get(names.inputIds);
  const vocabulary = logits.dims.at(-1)!;
  if (ids === undefined) return logits;
  const [batch = 1, sequence = 1] = ids.dims;
  if (inputs.has(names.logitRows)) {
    const perSequence = given.has(names.logitRows) ? undefined : wanted === "all" ? sequence : 1;
    return perSequence === undefined ? logits : { ...logits, dims: [batch, perSequence, vocabulary] };
  }
  if (wanted === "all" || logits.dims.length !== 3) return logits;
  const data = allocate(logits.type, batch * vocabulary);
  const [from, to] = [bytesOf(logits.data), bytesOf(data)];
  const rowBytes = to.length / batch;
  for (const [at, row] of lastRows(given, batch, sequence).entries()) {
    to.set(from.subarray(row * rowBytes, (row + 1) * rowBytes), at * rowBytes);
  }
  return { ...logits, data, dims: [batch, 1, vocabulary] };
}
