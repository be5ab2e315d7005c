import { type GraphBuilder, interfaceNames, type Value } from "../../graph/index.js";

/** The inputs of one step of a causal model; see `interfaceNames` for their types and shapes. */
export interface CausalStep {
  readonly inputIds: Value;
  readonly attentionMask: Value;
  readonly positionIds: Value;
}

export function causalStep(g: GraphBuilder): CausalStep {
  return stepOf(g, interfaceNames.inputIds, interfaceNames.attentionMask);
}

/** The inputs of one step of a decoder that reads an encoder's output. */
export function decoderStep(g: GraphBuilder): CausalStep {
  return stepOf(g, interfaceNames.decoderInputIds, interfaceNames.decoderAttentionMask);
}

function stepOf(g: GraphBuilder, inputIds: string, attentionMask: string): CausalStep {
  const perToken = (name: string): Value => g.input(name, "int64", ["batch", "sequence"]);
  return {
    inputIds: perToken(inputIds),
    attentionMask: perToken(attentionMask),
    positionIds: perToken(interfaceNames.positionIds),
  };
}
