import { basename, dirname } from "node:path";
import { AutoModelForCausalLM, BaseStreamer, env, Tensor } from "@huggingface/transformers";
import { ahead } from "../contestants/decode-turns.mjs";
import { fillStates, growth, tokenIds } from "../contestants/prompts.mjs";

/**
 * transformers.js on an ONNX file of the same graph, with the interface of Optimum's exports and as many threads as the
 * others.
 *
 * @param options.directory a model directory in the hub's layout: config.json, onnx/model.onnx
 */
export async function open({ directory, threads, vocabulary }) {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(directory);
  const model = await AutoModelForCausalLM.from_pretrained(basename(directory), {
    device: "cpu",
    dtype: "fp32",
    use_external_data_format: true,
    local_files_only: true,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 },
  });
  let running;

  /**
   * Continues `ids` after the rows of `past`, and returns the last new token and the time of each. `ids` must not
   * include those that `past` covers: transformers.js treats all ids as new.
   */
  async function generate(ids, past, count) {
    const times = new Times();
    const start = performance.now();
    const result = await model.generate({
      inputs: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      ...(past && { past_key_values: past }),
      max_new_tokens: count,
      min_new_tokens: count,
      do_sample: false,
      eos_token_id: null,
      return_dict_in_generate: true,
      streamer: times,
    });
    const last = Number(result.sequences.data.at(-1));
    return { last, past: result.past_key_values, times: times.at.map((at) => at - start) };
  }

  /** Returns a past of `context` rows, and a token to continue with. */
  async function begin(context) {
    const { last, past } = await generate(tokenIds(1, vocabulary), undefined, 1);
    for (const [name, state] of Object.entries(past)) {
      const [batch, heads, , lanes] = state.dims;
      const dims = [batch, heads, context, lanes];
      const data = new Float32Array(dims.reduce((count, size) => count * size));
      fillStates(data);
      past.update({ [name]: new Tensor("float32", data, dims) });
    }
    return { last, past };
  }

  return {
    facts: { threads },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      const { times, past } = await generate(tokenIds(tokens, vocabulary), undefined, 1);
      past.dispose();
      return times.at(-1);
    },

    /** Milliseconds per token of `tokens` steps, after `context` tokens. */
    async decode(context, tokens) {
      const rows = running?.past.get_seq_length();
      if (running?.context !== context || rows + ahead + tokens > context + growth) {
        running?.past.dispose();
        running = { context, ...(await begin(context)) };
      }
      const { times, ...next } = await generate([running.last], running.past, ahead + tokens);
      running = { context, ...next };
      return (times.at(-1) - times.at(-1 - tokens)) / tokens;
    },

    async close() {
      await model.dispose();
    },
  };
}

/** Records when each new token arrived; the first call delivers the prompt. */
class Times extends BaseStreamer {
  at = [];

  put() {
    this.at.push(performance.now());
  }

  end() {}
}
