import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../checkpoint/index.js";
import { interfaceNames, keptStates } from "../graph/index.js";
import { zooDirectory, zooEncoders, zooNames } from "../testing/fixtures.js";
import { buildGraph } from "./build-graph.js";

describe("a graph without its head", () => {
  it.each([...zooEncoders(), ...zooNames("causal"), "t5", "mt5", "umt5"])(
    "ends with the last hidden state, and needs nothing of the head: %s",
    (name) => {
      const checkpoint = openCheckpoint(zooDirectory(name));
      const { graph, unused } = buildGraph(checkpoint, { isHeadless: true });
      const states = keptStates(graph).map(({ present }) => present);
      const outputs = graph.outputs.map((output) => output.name).filter((output) => !states.includes(output));
      expect(outputs).toEqual([interfaceNames.lastHiddenState]);
      expect(graph.inputs.map((input) => input.name)).not.toContain(interfaceNames.logitRows);
      // T5's decoder is left out with its head.
      expect(unused.filter((tensor) => !tensor.startsWith("decoder."))).toEqual([]);
    },
  );
});
