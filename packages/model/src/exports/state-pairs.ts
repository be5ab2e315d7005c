import type { Graph, ValueInfo } from "../graph/graph.js";

/**
 * Exporters' names of the inputs with the rows of earlier steps, and of the outputs that add the new ones; the rest of
 * a name identifies the state.
 */
const pastName = /^past(?:_key_values)?[._](?<state>.+)$/;
const presentName = /^present(?:_key_values)?[._](?<state>.+)$/;

/** A state of an export: an input, and the output that becomes the next input. */
export interface StatePair {
  /** `0.key`, `decoder.0.value`, … */
  readonly state: string;
  readonly past: ValueInfo;
  readonly present: ValueInfo;
}

export interface InterfaceStates {
  readonly pairs: readonly StatePair[];
  /** Inputs without a corresponding output. */
  readonly onlyRead: readonly { readonly state: string; readonly past: ValueInfo }[];
  /** Outputs without a corresponding input. */
  readonly onlyMade: readonly { readonly state: string; readonly present: ValueInfo }[];
}

/**
 * The states among a graph's inputs and outputs. ONNX does not mark them, so they are recognised by their names, which
 * are an interface.
 */
export function statePairs({ inputs, outputs }: Pick<Graph, "inputs" | "outputs">): InterfaceStates {
  const pasts = byState(inputs, pastName);
  const presents = byState(outputs, presentName);
  const pairs = [...pasts].flatMap(([state, past]) => {
    const present = presents.get(state);
    return present === undefined ? [] : [{ state, past, present }];
  });
  return {
    pairs,
    onlyRead: [...pasts].flatMap(([state, past]) => (presents.has(state) ? [] : [{ state, past }])),
    onlyMade: [...presents].flatMap(([state, present]) => (pasts.has(state) ? [] : [{ state, present }])),
  };
}

function byState(values: readonly ValueInfo[], name: RegExp): Map<string, ValueInfo> {
  return new Map(
    values.flatMap((value) => {
      const state = name.exec(value.name)?.groups?.state;
      return state === undefined ? [] : [[state, value] as const];
    }),
  );
}
