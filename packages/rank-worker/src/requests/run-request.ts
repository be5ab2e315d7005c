import { RingrankError } from "@ringrank/errors";
import { allocate, bytesOf, elementCount, totalLength } from "@ringrank/model/weights";
import type { Entry, LocalValue } from "@ringrank/policy";
import type { CompiledEntry } from "../execution/compiled-entry.js";
import { gatherShards } from "../execution/gather-shards.js";
import { type RunOutcome, runEntry, type Wanted } from "../execution/run-entry.js";
import { resolveSizes } from "../execution/size-product.js";
import type { RunContext } from "../execution/steps/compiled-step.js";
import { TransientTensor } from "../kernels/transient-tensor.js";
import type { RunRequest, TensorMessage } from "../protocol.js";
import { byName, inOrder } from "../tensors/in-order.js";
import { fromMessage, type Tensor, toMessage } from "../tensors/tensor.js";
import { filledInputs } from "./filling-entry.js";
import { names, tokenInputs } from "./interface-names.js";
import { lastRows, runInputs } from "./run-inputs.js";

/** An entry that has run. */
interface Ran {
  readonly entry: Entry;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outcome: RunOutcome;
}

/**
 * Runs a whole entry on the given inputs, after the entry that fills its caches.
 *
 * @param filling the entry whose outputs `compiled` reads as its filled caches
 * @returns whole tensors, the same on every rank; logits as `[batch, sequence or 1, vocabulary]`
 * @throws RR_INPUT if an output is unknown
 */
export async function runRequest(
  compiled: CompiledEntry,
  filling: CompiledEntry | undefined,
  request: RunRequest,
  context: RunContext,
): Promise<Record<string, TensorMessage>> {
  const given = new Map(
    Object.entries(request.inputs).map(([name, message]) => [name, fromMessage(message)]),
  );
  const ran: Ran[] = [];
  const outputs = new Map<string, TensorMessage>();
  const run = async (next: CompiledEntry, wanted: Wanted): Promise<Ran> => {
    const inputs = runInputs(next.entry, given, request.logits);
    const { entry } = next;
    const outcome = await runEntry(next, inOrder(entry.inputs, inputs), context, wanted);
    const one = { entry, inputs, outcome };
    ran.push(one);
    // Taken before the next run reads these outputs and releases them.
    for (const [place, declared] of entry.outputs.entries()) {
      if (!request.outputs.includes(declared.name) || outputs.has(declared.name)) continue;
      const whole = wholeOutput(declared, place, one.outcome, context);
      const isLogits = declared.name === names.logits;
      outputs.set(declared.name, isLogits ? shapeLogits(whole, one, given, request.logits) : whole);
    }
    return one;
  };
  if (filling !== undefined) {
    const { entry, inputs, outcome } = await run(filling, "all");
    const tokens = tokenInputs(entry);
    const mask = inputs.get(tokens.mask);
    if (mask === undefined) {
      throw new RingrankError("RR_POLICY", `expected an entry that fills caches to read "${tokens.mask}"`);
    }
    const filled = filledInputs(compiled.entry, byName(entry.outputs, outcome.outputs), mask);
    for (const [name, value] of filled) given.set(name, value);
  }
  await run(compiled, request.outputs);
  for (const { outcome } of ran) TransientTensor.releaseAll(outcome.outputs);

  return Object.fromEntries(
    request.outputs.map((name): [string, TensorMessage] => {
      const output = outputs.get(name);
      if (output !== undefined) return [name, output];
      const known = ran.flatMap(({ entry }) => entry.outputs.map((output) => output.name)).join(", ");
      throw new RingrankError("RR_INPUT", `expected outputs among ${known}; got "${name}"`);
    }),
  );
}

function wholeOutput(
  declared: LocalValue,
  place: number,
  { outputs, bindings }: RunOutcome,
  { communicator }: RunContext,
): TensorMessage {
  const value = outputs[place];
  if (declared.shard === undefined) {
    if (value === undefined)
      throw new RingrankError("RR_POLICY", `expected the entry to return "${declared.name}"`);
    return withoutSurroundings(toMessage(value));
  }
  const { shard } = declared;
  if (value !== undefined) return gatherShards(communicator, toMessage(value), shard);
  const own = totalLength(shard.intervals[communicator.rank] ?? []);
  const dims = resolveSizes(declared.dims, bindings).with(shard.axis, own);
  // A rank without units has nothing to contribute, but must take part.
  return gatherShards(
    communicator,
    { type: declared.type, dims, data: allocate(declared.type, elementCount(dims)) },
    shard,
  );
}

/** A message transfers the whole memory that its elements are in: for a kernel's result, gigabytes. */
function withoutSurroundings(part: TensorMessage): TensorMessage {
  const { data } = part;
  return data.byteLength === data.buffer.byteLength ? part : { ...part, data: data.slice() };
}

/** `[rows, vocabulary]` or `[batch, sequence, vocabulary]` as `[batch, sequence or 1, vocabulary]`. */
function shapeLogits(
  logits: TensorMessage,
  { entry, inputs }: Ran,
  given: ReadonlyMap<string, Tensor>,
  wanted: "all" | "last",
): TensorMessage {
  const tokens = tokenInputs(entry);
  const ids = inputs.get(tokens.ids);
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
  for (const [at, row] of lastRows(given.get(tokens.mask), batch, sequence).entries()) {
    to.set(from.subarray(row * rowBytes, (row + 1) * rowBytes), at * rowBytes);
  }
  return { ...logits, data, dims: [batch, 1, vocabulary] };
}
