import type { Checkpoint, StoredTensor } from "@ringrank/model";

/** The counts that the split needs, named as in configs. */
interface Units {
  /** Key–value heads. */
  readonly heads: number;
  /** Of Mamba 2, if the config has it. */
  readonly states: States | undefined;
}

/**
 * Heads with states `[stateDim, …]`; those of a group share the vectors with which their states are written and read.
 */
interface States {
  readonly heads: number;
  readonly groups: number;
  readonly stateDim: number;
}

/** Tensors that text models do not need. */
const ofSight = /(^|\.)(vision_tower|vision_model|visual|multi_modal_projector|connector)\./;

/** The first of these that a config has is the number of heads. */
const headCounts = [
  "num_key_value_heads",
  "num_attention_heads",
  "n_head",
  "n_heads",
  "num_heads",
  "attention_heads",
];

/**
 * The bytes of the fullest rank if a person splits a checkpoint by the names of its tensors, as DeepSpeed's injection
 * policies do: attention by (key) heads, feed-forward and vocabulary by their width, with vectors kept whole. In fp32,
 * in which ranks compute.
 */
export function oracleBytes({ tensors, config }: Checkpoint, ranks: number): number {
  const ofText = { ...config, ...(config.text_config as object) };
  const units: Units = { heads: number(ofText, ...headCounts), states: statesOf(ofText) };
  let bytes = 0;
  for (const [name, tensor] of tensors!) {
    if (!ofSight.test(name)) bytes += fp32Bytes(tensor) * fullestShare(name, tensor, units, ranks);
  }
  return bytes;
}

function statesOf(config: Checkpoint["config"]): States | undefined {
  if (config.mamba_n_groups === undefined && config.n_groups === undefined) return undefined;
  return {
    heads: number(config, "mamba_n_heads", "mamba_num_heads", "num_heads"),
    groups: number(config, "mamba_n_groups", "n_groups"),
    stateDim: number(config, "mamba_d_state", "ssm_state_size", "state_size"),
  };
}

/**
 * The share of `rows` that are split by heads, except for rows that the heads of a group share: a rank has all of
 * these.
 */
function stateShare(rows: number, { heads, groups, stateDim }: States, ranks: number): number {
  const shared = 2 * groups * stateDim;
  const wholeGroups = Math.ceil(groups / ranks);
  const perGroup = Math.ceil(heads / groups / Math.max(1, Math.floor(ranks / groups)));
  return ((rows - shared) * (wholeGroups * perGroup)) / heads / rows + (shared * wholeGroups) / groups / rows;
}

function fullestShare(name: string, { dims }: StoredTensor, { heads, states }: Units, ranks: number): number {
  const isOutputBias = /\.(o_proj|down_proj|c_proj|dense|dense_4h_to_h)\.bias$/.test(name);
  const isNorm = /norm|ln_/.test(name);
  // Projections onto a latent that is normalized whole, as in multi-head latent attention.
  const isLatent = /_a_proj(_with_mqa)?\.weight$/.test(name);
  if (isNorm || isOutputBias || isLatent) return 1;
  if (states !== undefined && /\.(in_proj|conv1d)\./.test(name)) return stateShare(dims[0]!, states, ranks);
  const isAttention = /attn|attention|\.[qkvo]_proj\./.test(name);
  // A scalar has no dimension.
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
