import type { Checkpoint, StoredTensor } from "@ringrank/model";

/** Counts that a dealer needs, by the names that configs give them. */
interface Units {
  /** Key–value heads. */
  readonly heads: number;
}

/** Tensors that text does not need. */
const ofSight = /(^|\.)(vision_tower|vision_model|visual|multi_modal_projector|connector)\./;

/** The first that a config has counts. */
const headCounts = [
  "num_key_value_heads",
  "num_attention_heads",
  "n_head",
  "n_heads",
  "num_heads",
  "attention_heads",
];

/**
 * Bytes of the fullest rank when a person splits a checkpoint by the names of its tensors, as DeepSpeed's injection
 * policies do: attention by (key) heads, feed-forward and vocabulary by their width, vectors kept whole. In fp32,
 * which is what a rank computes in.
 */
export function oracleBytes({ tensors, config }: Checkpoint, ranks: number): number {
  const units: Units = { heads: number({ ...config, ...(config.text_config as object) }, ...headCounts) };
  let bytes = 0;
  for (const [name, tensor] of tensors!) {
    if (!ofSight.test(name)) bytes += fp32Bytes(tensor) * fullestShare(name, tensor, units, ranks);
  }
  return bytes;
}

function fullestShare(name: string, { dims }: StoredTensor, { heads }: Units, ranks: number): number {
  const isOutputBias = /\.(o_proj|down_proj|c_proj|dense|dense_4h_to_h)\.bias$/.test(name);
  const isNorm = /norm|ln_/.test(name);
  // Projections onto a latent that is normed whole, as multi-head latent attention has.
  const isLatent = /_a_proj(_with_mqa)?\.weight$/.test(name);
  if (isNorm || isOutputBias || isLatent) return 1;
  const isAttention = /attn|attention/.test(name);
  // A number alone has no dimension.
  const units = isAttention ? heads : Math.max(1, ...dims);
  return Math.ceil(units / ranks) / units;
}

function fp32Bytes({ dims }: StoredTensor): number {
  return dims.reduce((count, size) => count * size, Float32Array.BYTES_PER_ELEMENT);
}

function number(config: Checkpoint["config"], ...names: readonly string[]): number {
  const found = names.map((name) => config[name]).find((value) => typeof value === "number");
  if (typeof found !== "number") throw new TypeError(`config.json has none of ${names.join(", ")}`);
  return found;
}
