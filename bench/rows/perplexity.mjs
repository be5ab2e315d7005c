import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { setKernelFlags } from "@ringrank/webassembly";
import { demoModel } from "ringrank";

/** The numbers of tokens passed to quantized models at once: as many as kernels multiply by, and all. */
const atOnce = [8, 256];

/**
 * The perplexity of the embedded model on text it was not trained on, in each precision and for each wire, on 2 ranks,
 * which multiply like those of the command.
 */
export async function measurePerplexity({ precisions, results, progress }) {
  const { perplexity_ids: ids } = JSON.parse(readFileSync(join(demoModel, "golden.json"), "utf8"));
  const quantized = precisions.filter((precision) => precision !== "float32");
  const cells = [
    ...quantized.flatMap((precision) => atOnce.map((atOnce) => ({ precision, atOnce }))),
    { wire: "float16" },
    { wire: "int8" },
  ];
  setKernelFlags();
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

async function perplexity(ids, { atOnce = ids.length, ...load }) {
  // A cached shard would be what another build quantized.
  const model = await loadModel(demoModel, { ranks: 2, cache: false, ...load });
  try {
    const sequence = model.sequence();
    let nll = 0;
    for (let first = 0; first < ids.length; first += atOnce) {
      const { logits } = await sequence.append(ids.slice(first, first + atOnce));
      const [rows, vocabulary] = logits.dims;
      for (let at = 0; at < rows && first + at + 1 < ids.length; at++) {
        const row = logits.data.subarray(at * vocabulary, (at + 1) * vocabulary);
        const most = row.reduce((max, x) => Math.max(max, x), Number.NEGATIVE_INFINITY);
        const sum = row.reduce((total, x) => total + Math.exp(x - most), 0);
        nll += most + Math.log(sum) - row[ids[first + at + 1]];
      }
    }
    return Math.exp(nll / (ids.length - 1));
  } finally {
    await model.close();
  }
}
