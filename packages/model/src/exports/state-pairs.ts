import type { Graph, ValueInfo } from "../graph/graph.js";

/** What exporters call the rows kept from earlier steps, and the same with the new ones; the rest names the state. */
const pastName = /^past(?:_key_values)?[._](?<state>.+)$/;
const presentName = /^present(?:_key_values)?[._](?<state>.+)$/;

/** A state of an export: what goes in, and what comes out to go in again. */
export interface StatePair {
  /** `0.key`, `decoder.0.value`, … */
  readonly state: string;
  readonly past: ValueInfo;
  readonly present: ValueInfo;
}

export interface InterfaceStates {
  readonly pairs: readonly StatePair[];
  /** Inputs that nothing comes out for. */
  readonly onlyRead: readonly { readonly state: string; readonly past: ValueInfo }[];
  /** Outputs that go in nowhere. */
  readonly onlyMade: readonly { readonly state: string; readonly present: ValueInfo }[];
}

/** The states among a graph's inputs and outputs. ONNX does not mark them, so names tell: they are an interface. */
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
