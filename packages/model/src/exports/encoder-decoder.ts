import { RingrankError } from "@ringrank/errors";
import {
  type Cache,
  type CacheState,
  type Graph,
  GraphBuilder,
  type GraphEntry,
  type GraphNode,
  interfaceNames,
  renameValues,
  type SymbolicDim,
  type ValueInfo,
  valueWithSizes,
} from "../graph/index.js";
import { namesOf } from "../graph/names-of.js";
import { crossProjections } from "./cross-projections.js";
import { extended, redirect } from "./edit.js";
import { constantOf, producersOf } from "./producers.js";
import { isShape, readersOf, sizesRead } from "./sizes-read.js";
import { statePairs } from "./state-pairs.js";
import { withTokenSizes } from "./token-sizes.js";
import { withCache } from "./with-cache.js";

/** The graphs that exporters create from one encoder–decoder. */
export interface EncoderDecoderParts {
  /** `input_ids`, `attention_mask` to `last_hidden_state`. */
  readonly encoder: Graph;
  /** The decoder's first step, from `encoder_hidden_states`; also returns keys and values of cross-attention. */
  readonly withoutPast: Graph;
  /** Its other steps, which read all of these as past. */
  readonly withPast: Graph;
}

/** Exporters' names. */
const exported = {
  encoderHidden: "encoder_hidden_states",
  encoderMask: "encoder_attention_mask",
  /** A state of cross-attention: `0.encoder.key`. */
  crossState: /^(?<layer>.+)\.encoder\.(?<part>.+)$/,
} as const;

const encoderPositions = "encoder_positions";

/**
 * One graph of two entries, as the project's own encoder–decoders are:
 *
 * ```
 *  encode   encoder ─ last_hidden_state ─ the first step's projections: cross.0.key, cross.0.value, …
 *  decode   the decoder with past, which reads them as encoded.0.key, …; with an empty past it begins
 * ```
 *
 * Each file has its own copy of what they share, such as the embedding.
 *
 * @throws RR_NO_GENERATE if the parts do not fit together in this way
 */
export function encoderDecoder({ encoder, withoutPast, withPast }: EncoderDecoderParts): Graph {
  const crossing = crossStates(withPast, withoutPast);
  const encode = encodeEntry(encoder, withoutPast, crossing);
  const decode = decodeEntry(withPast, crossing);
  const opsets = { ...encode.opsets, ...decode.opsets };
  if (encode.opsets[""] !== decode.opsets[""]) {
    throw notJoined(`they are of opsets ${encode.opsets[""]} and ${decode.opsets[""]}; export both with one`);
  }
  return {
    opsets,
    inputs: [...encode.inputs, ...decode.inputs],
    outputs: [...encode.outputs, ...decode.outputs],
    nodes: [...encode.nodes, ...decode.nodes],
    weights: new Map([...encode.weights, ...decode.weights]),
    caches: [...decode.caches, crossCache(crossing, decode)],
    entries: { encode: entryOf(encode), decode: entryOf(decode) },
  };
}

/** Keys or values of a layer's cross-attention. */
interface CrossState extends CacheState {
  /** In the form that the decoder with past reads. */
  readonly read: ValueInfo;
  /** In the form that its first step computes. */
  readonly made: ValueInfo;
}

function crossStates(withPast: Graph, withoutPast: Graph): CrossState[] {
  const made = new Map(withoutPast.outputs.map((output) => [output.name, output]));
  const pasts = statePairs(withPast);
  return [...pasts.pairs, ...pasts.onlyRead].flatMap(({ state, past }) => {
    const { layer, part } = exported.crossState.exec(state)?.groups ?? {};
    if (layer === undefined) return [];
    const present = made.get(`present.${state}`);
    if (present === undefined)
      throw notJoined(`no first step makes present.${state}, which a later one reads`);
    if (typeof past.dims[1] !== "number" || typeof past.dims[3] !== "number" || past.dims.length !== 4) {
      throw notJoined(`expected ${past.name} to be [batch, heads, rows, lanes], found [${past.dims}]`);
    }
    const names = { past: `encoded.${layer}.${part}`, present: `cross.${layer}.${part}` };
    return [{ ...names, axis: 2, read: past, made: present }];
  });
}

function crossCache(crossing: readonly CrossState[], decode: Graph): Cache {
  const isMasked = decode.nodes.some((node) => !isShape(node) && node.inputs.includes(encoderPositions));
  return {
    positions: encoderPositions,
    filledBy: "encode",
    // Without a mask all rows count.
    ...(isMasked ? {} : { exact: true }),
    states: crossing.map(({ past, present, axis }) => ({ past, present, axis })),
  };
}

function encodeEntry(encoder: Graph, withoutPast: Graph, crossing: readonly CrossState[]): Graph {
  const { inputIds, attentionMask, lastHiddenState } = interfaceNames;
  const own = new Set<string>([inputIds, attentionMask, lastHiddenState]);
  for (const name of own) {
    if (![...encoder.inputs, ...encoder.outputs].some((value) => value.name === name)) {
      throw notJoined(`the encoder has no ${name}`);
    }
  }
  const first = renameValues(withTokenSizes(encoder), (name) => (own.has(name) ? name : `encoder·${name}`));
  const made = new Map(crossing.map((state) => [state.made.name, state.present]));
  const projections = crossProjections(
    { ...withoutPast, outputs: withoutPast.outputs.filter(({ name }) => made.has(name)) },
    exported.encoderHidden,
  );
  const second = renameValues(projections, (name) => made.get(name) ?? `cross·${name}`);
  const given = new Map([[`cross·${exported.encoderHidden}`, lastHiddenState]]);
  const symbols = symbolsOf(first.inputs.find(({ name }) => name === inputIds)!, ["batch", "source"]);
  return extended(
    {
      ...first,
      inputs: first.inputs.map((input) => valueWithSizes(input, symbols)),
      outputs: first.outputs.filter(({ name }) => own.has(name)),
    },
    { ...second, inputs: [], nodes: redirect(second.nodes, given) },
  );
}

function decodeEntry(withPast: Graph, crossing: readonly CrossState[]): Graph {
  const { inputIds, attentionMask, decoderInputIds, decoderAttentionMask } = interfaceNames;
  const names = new Map<string, string>([
    [inputIds, decoderInputIds],
    [attentionMask, decoderAttentionMask],
    ...crossing.map(({ read, past }): [string, string] => [read.name, past]),
  ]);
  const renamed = renameValues(withPast, (name) => names.get(name) ?? name);
  const g = new GraphBuilder(namesOf(renamed));
  const positions = g.input(encoderPositions, "int64", ["batch", "encoded"]);
  const mask = renamed.inputs.find(({ name }) => name === exported.encoderMask);
  const filled = g.greaterOrEqual(positions, g.integer(0));
  const long = mask?.type === "int64" || mask?.type === "float32" ? g.cast(filled, mask.type) : filled;
  const built = g.build();
  const cross = new Set(crossing.map(({ past }) => past));
  const decoder = extended(
    {
      ...renamed,
      inputs: renamed.inputs.flatMap((input) => {
        if (input === mask) return [];
        return cross.has(input.name)
          ? [{ ...input, dims: ["batch", input.dims[1]!, "encoded", input.dims[3]!] }]
          : [input];
      }),
      // A first step's keys and values of cross-attention come from `encode`.
      outputs: renamed.outputs.filter(({ name }) => !crossing.some(({ made }) => made.name === name)),
      nodes: redirect(
        sizesFromPositions(renamed),
        new Map(mask === undefined ? [] : [[mask.name, long.name]]),
      ),
    },
    built,
  );
  const isRead = new Set(decoder.nodes.flatMap(({ inputs }) => inputs));
  return withCache(
    {
      ...decoder,
      // The hidden states are only used by the keys and values; exporters may leave the input.
      inputs: decoder.inputs.filter(({ name }) => name !== exported.encoderHidden || isRead.has(name)),
    },
    { tokens: { ids: decoderInputIds, mask: decoderAttentionMask }, filled: [encoderPositions, ...cross] },
  );
}

/**
 * Nodes that only read batch and length of the hidden states read them from the encoder's positions,
 * `[batch, encoded]`.
 */
function sizesFromPositions(graph: Graph): GraphNode[] {
  const readers = readersOf(graph.nodes);
  const producers = producersOf(graph.nodes);
  const constant = (name: string) => constantOf(name, graph, producers);
  return graph.nodes.map((node) => {
    if (!isShape(node) || node.inputs[0] !== exported.encoderHidden) return node;
    const axes = sizesRead(node, readers.get(node.outputs[0]!) ?? [], constant);
    return axes?.every((axis) => axis < 2) ? { ...node, inputs: [encoderPositions] } : node;
  });
}

function symbolsOf({ name, dims }: ValueInfo, wanted: readonly string[]): Map<SymbolicDim, string> {
  const symbols = new Map<SymbolicDim, string>(dims.map((dim, axis) => [dim, wanted[axis]!]));
  if (dims.length === wanted.length && symbols.size === wanted.length) return symbols;
  throw notJoined(`expected ${name} to be [${wanted.join(", ")}], found [${dims.join(", ")}]`);
}

function entryOf({ inputs, outputs }: Graph): GraphEntry {
  return { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) };
}

function notJoined(found: string): RingrankError {
  return new RingrankError(
    "RR_NO_GENERATE",
    `the files of an encoder and its decoder do not match: ${found}; to run one of them alone, pass its path`,
  );
}
