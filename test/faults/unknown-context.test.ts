import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { encodeOnnx, GraphBuilder } from "@ringrank/model";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.js";

const [context, width] = [8, 16];

/** An encoder that counts its positions itself, so that nothing but its table knows how many there are. */
function encoder(): Uint8Array {
  const g = new GraphBuilder();
  const ids = g.input("input_ids", "int64", ["batch", "sequence"]);
  const table = (rows: number) =>
    g.numbers(
      Array.from({ length: rows * width }, (_, at) => Math.sin(at)),
      [rows, width],
    );
  const length = g.squeeze(g.shape(ids, 1, 2), [0]);
  // Two rows are kept for padding, as OPT does; ONNX Runtime makes a Slice of a Gather by a Range from 0.
  const positions = g.add(g.node("Range", [g.integer(0), length, g.integer(1)]), g.integer(2));
  const rows = g.add(g.gather(table(20), ids, 0), g.gather(table(2 + context), positions, 0));
  g.output("last_hidden_state", rows, "float32", ["batch", "sequence", width]);
  return encodeOnnx(g.build());
}

it.each([1, 2])(
  "of an export that does not say its context, %i ranks say how it can be told",
  async (ranks) => {
    const path = join(temporaryDirectory({ "model.onnx": encoder() }), "model.onnx");
    await using model = await loadModel(path, { ranks });
    await model.run({ input_ids: [new Array<number>(context).fill(1)] });
    await expect(model.run({ input_ids: [new Array<number>(context + 1).fill(1)] })).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      message: expect.stringContaining("config.json"),
    });
  },
);
