import { join } from "node:path";
import { loadModel, type Model } from "@ringrank/coordinator";
import { encodeOnnx, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.js";

const [context, width] = [8, 16];

/** An encoder that computes its positions itself, so that only its table shows how many there are. */
function loadEncoder(ranks: number, positionsOf: (g: GraphBuilder, ids: Value) => Value): Promise<Model> {
  const g = new GraphBuilder();
  const ids = g.input("input_ids", "int64", ["batch", "sequence"]);
  const table = (rows: number) =>
    g.numbers(
      Array.from({ length: rows * width }, (_, at) => Math.sin(at)),
      [rows, width],
    );
  // As in OPT, two rows are reserved for padding; ONNX Runtime turns a Gather by a Range from 0 into a Slice.
  const positions = g.add(positionsOf(g, ids), g.integer(2));
  const rows = g.add(g.gather(table(20), ids, 0), g.gather(table(2 + context), positions, 0));
  g.output("last_hidden_state", rows, "float32", ["batch", "sequence", width]);
  const files = { "model.onnx": encodeOnnx(g.build()) };
  return loadModel(join(temporaryDirectory(files), "model.onnx"), { ranks });
}

const tokens = (count: number) => ({ input_ids: [new Array<number>(count).fill(1)] });

describe.each([1, 2])("an export that declares no context, on %i ranks", (ranks) => {
  it("has as many positions as its table if it counts them, and stays usable after a call with more", async () => {
    await using model = await loadEncoder(ranks, (g, ids) =>
      g.node("Range", [g.integer(0), g.squeeze(g.shape(ids, 1, 2), [0]), g.integer(1)]),
    );
    expect(model.maxContext).toBe(context);
    await expect(model.run(tokens(context + 1))).rejects.toMatchObject({ code: "RR_CONTEXT" });
    await model.run(tokens(context));
  });

  it("fails in the ranks, which report how to declare the context, if positions are computed from ids", async () => {
    await using model = await loadEncoder(ranks, (g, ids) => {
      const before = { attributes: { exclusive: { kind: "int", value: 1 } } } as const;
      return g.node("CumSum", [ids, g.integer(1)], before);
    });
    expect(model.maxContext).toBeUndefined();
    await model.run(tokens(context));
    await expect(model.run(tokens(context + 1))).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      message: expect.stringContaining("config.json"),
    });
  });
});
