import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeOnnx, openOnnx, writeOnnx } from "@ringrank/model";
import { optimumGraph } from "./optimum-graph.mjs";
import { unsplitGraph } from "./unsplit-graph.mjs";

/**
 * Writes the graph that Ringrank splits as one ONNX model, and next to it the same graph with the interface that
 * transformers.js requires. Both read one file of weights.
 *
 * @returns directories: `session` holds model.onnx, `transformersJs` is for `from_pretrained`
 */
export async function writeModels(checkpoint, precision, directory) {
  const session = join(directory, "session");
  const transformersJs = join(directory, "transformers.js");
  if (existsSync(directory)) return { session, transformersJs };
  const unfinished = `${directory}.${process.pid}`;
  try {
    const graph = unsplitGraph(checkpoint, precision);
    const written = openOnnx(await writeOnnx(graph, join(unfinished, "session")));
    const onnx = join(unfinished, "transformers.js", "onnx");
    mkdirSync(onnx, { recursive: true });
    linkSync(join(unfinished, "session", "model.onnx_data"), join(onnx, "model.onnx_data"));
    const locate = (name) => ({
      location: "model.onnx_data",
      offset: written.weights.get(name).source.offset,
    });
    writeFileSync(join(onnx, "model.onnx"), encodeOnnx(optimumGraph(graph), { locate }));
    copyFileSync(join(checkpoint, "config.json"), join(unfinished, "transformers.js", "config.json"));
    renameSync(unfinished, directory);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  return { session, transformersJs };
}
