import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { demoModel } from "ringrank";

/** Perplexity of the embedded model on text it was not trained on, in each precision and on each wire, on 2 ranks. */
export async function measurePerplexity({ precisions, results, progress }) {
  const { perplexity_ids: ids } = JSON.parse(readFileSync(join(demoModel, "golden.json"), "utf8"));
  const quantized = precisions.filter((precision) => precision !== "float32");
  const cells = [...quantized.map((precision) => ({ precision })), { wire: "float16" }, { wire: "int8" }];
  let float32;
  for (const cell of [{ precision: "float32" }, ...cells]) {
    const [[what, type]] = Object.entries(cell);
    progress(`perplexity with ${what} ${type}`);
    try {
      const value = await perplexity(ids, cell);
      results.add({ row: "perplexity", ...cell }, "", [value]);
      if (cell.precision === "float32") float32 = value;
      else if (float32 === undefined) throw new Error("there is none in float32 to compare with");
      else results.add({ row: "perplexity above float32", ...cell }, "%", [100 * (value / float32 - 1)]);
    } catch (error) {
      results.fail({ row: "perplexity", ...cell }, error);
    }
  }
}

async function perplexity(ids, load) {
  // A kept shard would be what another build has quantized.
  const model = await loadModel(demoModel, { ranks: 2, cache: false, ...load });
  try {
    const { logits } = await model.sequence().append(ids);
    const [, vocabulary] = logits.dims;
    let nll = 0;
    for (let at = 1; at < ids.length; at++) {
      const row = logits.data.subarray((at - 1) * vocabulary, at * vocabulary);
      const most = row.reduce((max, x) => Math.max(max, x), Number.NEGATIVE_INFINITY);
      const sum = row.reduce((total, x) => total + Math.exp(x - most), 0);
      nll += most + Math.log(sum) - row[ids[at]];
    }
    return Math.exp(nll / (ids.length - 1));
  } finally {
    await model.close();
  }
}
