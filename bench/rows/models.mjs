import { rmSync } from "node:fs";
import { join } from "node:path";
import { configOf } from "../checkpoints/shapes.mjs";
import { syntheticCheckpoint } from "../checkpoints/synthetic.mjs";
import { writeGguf } from "../gguf/write-gguf.mjs";
import { cacheWork } from "../measure/cache-work.mjs";
import { ContestantProcess } from "../measure/contestant-process.mjs";
import { holdFragments } from "../measure/fragments.mjs";
import { availableBytes } from "../measure/machine.mjs";
import { intoPageCache } from "../measure/page-cache.mjs";
import { bandwidthTurns } from "../measure/read-bandwidth.mjs";
import { takeTurns } from "../measure/take-turns.mjs";
import { firstTokens, tracedWarmUpTokens, warmUp } from "../measure/warm-up.mjs";
import { workFolder } from "../measure/work-folder.mjs";
import { unsplitGraph } from "../onnx/unsplit-graph.mjs";
import { bytesReadPerToken, cacheBytes } from "../onnx/weights-read.mjs";
import { writeModels } from "../onnx/write-models.mjs";
import { loadTurns } from "./load-turns.mjs";
import { decodeTokens, tracedTokens } from "./turn-lengths.mjs";

/** GGUF block types with as many bits as a precision. */
const ggufTypes = {
  int8: { matrices: "Q8_0", head: "Q8_0" },
  int4: { matrices: "Q4_0", head: "Q4_0" },
};

/**
 * All measurements of one shape in one precision: decode, prefill, load time and peak memory, for every contestant.
 *
 * One Ringrank (`mainRanks`) stays open throughout; first the contestants other than Ringrank run next to it, then
 * other numbers of ranks one by one, so that every comparison is made in turns with it.
 *
 * @param until when this cell's share of the time ends (`performance.now()`): after that, parts that no target
 *   requires are skipped, and reported as skipped
 */
export async function measureModel({ shape, precision, options, results, progress, peerProblem, until }) {
  const config = configOf(shape, options.layers);
  const cell = { shape, precision };
  progress(`${shape} ${precision}: weights`);
  const checkpoint = await syntheticCheckpoint(config, options.cache);
  const work = workFolder(options.cache);
  const bench = new Cell({ cell, config, checkpoint, work, options, results, progress, peerProblem, until });
  try {
    await bench.measure();
  } finally {
    await bench.end();
    rmSync(work, { recursive: true, force: true });
  }
}

class Cell {
  #cell;
  #config;
  #checkpoint;
  #work;
  #options;
  #results;
  #progress;
  #peerProblem;
  #until;
  #fragments;
  /** The contestants whose processes are running, by name: `{ name, process, what }`. */
  #open = new Map();

  constructor({ cell, config, checkpoint, work, options, results, progress, peerProblem, until }) {
    this.#cell = cell;
    this.#config = config;
    this.#checkpoint = checkpoint;
    this.#work = work;
    this.#options = options;
    this.#results = results;
    this.#progress = (what, detail) => progress(`${cell.shape} ${cell.precision}: ${what}`, detail);
    this.#peerProblem = peerProblem;
    this.#until = until;
  }

  async measure() {
    const { precision } = this.#cell;
    const { mainRanks, ranks, contexts, peers } = this.#options;
    this.#reportSizes();
    // If there is a second load, the first is timed with it.
    const main = { ...this.#ringrank(mainRanks), loadsInTurns: precision !== "float32" };
    await intoPageCache(this.#checkpoint);
    if (!this.#options.quick) await this.#takeFragments();
    await this.#openOne(main);

    const rivals = [
      this.#session(),
      ...(peers && precision !== "float32" ? [this.#llama()] : []),
      ...(peers ? [this.#transformersJs()] : []),
    ];
    for (const rival of rivals) await this.#openOne(rival);
    const [short, ...long] = contexts;
    await this.#decode([short], this.#reading("decode"));
    await this.#prefill({ turns: this.#options.prefillTurns, warmUp: 1 });
    await this.#decode(long, this.#reading("decode"));
    for (const rival of rivals) await this.#closeOne(rival);

    const others = ranks.filter((count) => count !== mainRanks).map((count) => this.#ringrank(count));
    // A target requires 4.
    const isAsked = ({ what }) => what.ranks === 4;
    for (const other of others.filter(isAsked)) await this.#beside(other);
    await this.#loads(main);
    await this.#cacheWork(mainRanks);
    for (const other of others.filter((other) => !isAsked(other))) {
      await this.#inTime({ row: "load", load: "first", ...other.what }, () => this.#beside(other));
    }
    await this.#closeOne(main);
  }

  /** Otherwise the contestant that opens first would get the scattered memory. */
  async #takeFragments() {
    this.#progress("taking scattered memory");
    this.#fragments = await holdFragments();
    this.#results.add({ row: "scattered memory taken", ...this.#cell }, "bytes", [this.#fragments.bytes]);
  }

  /** Measures another number of ranks next to the contestants that stay open. */
  async #beside(other) {
    await this.#openOne(other);
    const open = this.#open.get(other.name);
    if (open === undefined) return;
    await this.#decode(this.#options.contexts.slice(0, 1));
    await this.#prefill({ turns: 1 }, [open]);
    await this.#closeOne(other);
  }

  /** First and second loads. In float32 a load caches nothing, so there is no second one. */
  async #loads(rival) {
    if (this.#cell.precision === "float32") return;
    const what = { row: "load", ...this.#cell, ...rival.what };
    this.#progress(`loading ${rival.name} in turns`);
    try {
      const samples = await loadTurns(rival, {
        checkpoint: this.#checkpoint,
        caches: join(this.#work, "loads"),
        turns: this.#options.loadTurns,
      });
      for (const load of ["first", "second"]) this.#results.add({ ...what, load }, "ms", samples[load]);
    } catch (error) {
      this.#results.fail({ ...what, load: "second" }, error);
    }
  }

  /** The cost of the cache after each context, from the trace of another Ringrank, which is used for nothing else. */
  async #cacheWork(ranks) {
    const [short, ...long] = this.#options.contexts;
    if (long.length === 0) return;
    const trace = join(this.#work, "trace.json");
    const loaded = this.#ringrank(ranks, { trace });
    const traced = { ...loaded, name: `${loaded.name}, traced`, isTraced: true };
    await this.#openOne(traced);
    const open = this.#open.get(traced.name);
    if (open === undefined) return;
    const what = { row: "cache work", ...open.what };
    try {
      for (const context of [short, ...long]) {
        this.#progress(`tracing decode ${context}: ${traced.name}`);
        await open.process.call("decode", [context, tracedTokens]);
        if (context === short) continue;
        await this.#turns({ context }, "read", [], { turns: 3 }, this.#reading("cache work"));
      }
      // The trace is complete only after closing.
      await this.#closeOne(traced);
      const work = cacheWork(trace);
      for (const context of [short, ...long]) {
        this.#results.add({ ...what, context }, "ms", work.get(context));
      }
    } catch (error) {
      this.#results.fail(what, error);
      await this.#closeOne(traced);
    }
  }

  /** Does something unless this cell's share of the time is used up. */
  async #inTime(what, take) {
    if (performance.now() < this.#until) await take();
    else
      this.#results.skip({ ...what, ...this.#cell }, "its share of the time was over; --minutes gives more");
  }

  async end() {
    for (const name of [...this.#open.keys()]) await this.#closeOne({ name });
    this.#fragments?.release();
  }

  #reportSizes() {
    try {
      const graph = unsplitGraph(this.#checkpoint, this.#cell.precision);
      this.#results.add({ row: "weights read per token", ...this.#cell }, "bytes", [
        bytesReadPerToken(graph),
      ]);
      for (const context of this.#options.contexts) {
        const bytes = cacheBytes(graph, context);
        this.#results.add({ row: "cache", context, ...this.#cell }, "bytes", [bytes]);
      }
    } catch (error) {
      this.#results.fail({ row: "weights read per token", ...this.#cell }, error);
    }
  }

  #ringrank(ranks, others = {}) {
    return contestant("ringrank", { ranks, threads: 1 }, "../contestants/ringrank.mjs", {
      checkpoint: this.#checkpoint,
      load: {
        ranks,
        ...(this.#options.hugePages && { hugePages: true }),
        ...(this.#cell.precision !== "float32" && { precision: this.#cell.precision }),
        ...others,
      },
    });
  }

  #session() {
    const { threads } = this.#options;
    return contestant("session", { threads }, "../contestants/session.mjs", async () => ({
      checkpoint: this.#checkpoint,
      precision: this.#cell.precision,
      onnx: (await this.#exports()).session,
      threads,
    }));
  }

  #transformersJs() {
    const { threads } = this.#options;
    return contestant("transformers.js", { threads }, "../peers/transformers-js.mjs", async () => ({
      directory: (await this.#exports()).transformersJs,
      threads,
      vocabulary: this.#config.vocab_size,
    }));
  }

  #llama() {
    const { threads, contexts, prompt } = this.#options;
    return contestant("llama.cpp", { threads }, "../peers/llama-cpp.mjs", async () => {
      this.#progress("writing GGUF");
      const gguf = join(this.#work, "model.gguf");
      await writeGguf(this.#checkpoint, gguf, ggufTypes[this.#cell.precision]);
      return { gguf, threads, vocabulary: this.#config.vocab_size, contexts: [...contexts, prompt] };
    });
  }

  /** The memory bandwidth as a participant in turns, if requested. */
  #reading(of) {
    const { parts } = this.#options;
    if (!parts.includes("bandwidth")) return [];
    const what = { ...this.#cell, row: "read bandwidth", of };
    return [{ name: "bandwidth", what, unit: "GB/s", process: bandwidthTurns(this.#options) }];
  }

  async #exports() {
    this.#progress("writing ONNX");
    return await writeModels(this.#checkpoint, this.#cell.precision, join(this.#work, "onnx"));
  }

  async #openOne(rival) {
    await this.#load(rival);
    const open = this.#open.get(rival.name);
    if (open === undefined) return;
    const what = { row: "warm-up", tokens: firstTokens, ...open.what };
    this.#progress(`warming up ${rival.name}`);
    try {
      const first = await warmUp(open.process, rival.isTraced ? tracedWarmUpTokens : undefined);
      if (!rival.isTraced) this.#results.add(what, "ms", [first]);
    } catch (error) {
      this.#results.fail(what, error);
    }
  }

  async #load(rival) {
    const what = { ...this.#cell, ...rival.what };
    const load = { row: "load", load: "first", ...what };
    const isPeer = rival.module.includes("/peers/");
    if (isPeer && this.#peerProblem !== undefined) {
      this.#results.fail(load, this.#peerProblem);
      return;
    }
    const process = new ContestantProcess(join(this.#work, "caches"));
    try {
      const options = typeof rival.options === "function" ? await rival.options() : rival.options;
      this.#requireMemory();
      this.#progress(`loading ${rival.name}`);
      const { loadMilliseconds, peakBytes, facts } = await process.call("open", [rival.module, options]);
      this.#open.set(rival.name, { name: rival.name, process, what });
      if (rival.isTraced) return;
      if (!rival.loadsInTurns) this.#results.add(load, "ms", [loadMilliseconds]);
      if (peakBytes !== undefined)
        this.#results.add({ row: "peak memory, loaded", ...what }, "bytes", [peakBytes]);
      if (facts.bytesInMemory !== undefined) {
        const kept = facts.bytesInMemory.reduce((sum, bytes) => sum + bytes, 0);
        this.#results.add({ row: "weights kept", ...what }, "bytes", [kept]);
      }
    } catch (error) {
      this.#results.fail(load, error);
      process.end();
    }
  }

  async #closeOne(rival) {
    const open = this.#open.get(rival.name);
    if (open === undefined) return;
    this.#open.delete(rival.name);
    try {
      const { peakBytes } = await open.process.close();
      if (!rival.isTraced && peakBytes !== undefined) {
        this.#results.add({ row: "peak memory, after running", ...open.what }, "bytes", [peakBytes]);
      }
    } catch (error) {
      this.#results.fail({ row: "close", ...open.what }, error);
    }
  }

  /** Throws if memory is short: a machine that swaps or kills the largest process gives no valid measurements. */
  #requireMemory() {
    const parameterBytes = { float32: 4, int8: 1.2, int4: 0.7 }[this.#cell.precision];
    const elements = bytesReadPerToken(unsplitGraph(this.#checkpoint, "float32")) / 4;
    // The weights where they are kept, and a part of them also where they are read.
    const needed = 1.5 * elements * parameterBytes + 500e6;
    if (availableBytes() > needed) return;
    throw new Error(
      `not enough memory: about ${(needed / 1e9).toFixed(1)} GB wanted, ${(availableBytes() / 1e9).toFixed(1)} GB free`,
    );
  }

  /** @param others participants in the turns besides the open contestants */
  async #decode(contexts, others = []) {
    const { layers, decodeTurns } = this.#options;
    const turns = { turns: decodeTurns, warmUp: 1 };
    const tokens = decodeTokens({ ...this.#cell, layers, turns: turns.turns + turns.warmUp });
    const takers = [...others, ...this.#open.values()];
    for (const context of contexts) {
      await this.#turns({ row: "decode", context }, "decode", [context, tokens], turns, takers);
    }
  }

  async #prefill(turns, takers = [...this.#open.values()]) {
    const { prompt } = this.#options;
    await this.#turns({ row: "prefill", prompt }, "prefill", [prompt], turns, takers);
  }

  async #turns(what, call, args, turns, takers) {
    if (takers.length === 0) return;
    const names = takers.map(({ name }) => name);
    const processes = new Map(takers.map(({ name, process }) => [name, process]));
    const label = `${[call, ...args.slice(0, 1)].join(" ")}: ${names.join(", ")}`;
    const onTurn = (turn, name) => this.#progress(label, `${name}, turn ${turn + 1} of ${turns.turns}`);
    const beside = names.length > 1 ? { beside: names } : {};
    const outcomes = await takeTurns(processes, call, args, { ...turns, onTurn });
    for (const { name, what: own, unit = "ms" } of takers) {
      const { samples, error } = outcomes.get(name);
      const whole = { ...what, ...own, ...beside };
      if (error === undefined) this.#results.add(whole, unit, samples);
      else this.#results.fail(whole, error);
    }
  }
}

function contestant(name, { ranks, threads }, module, options) {
  const what = { contestant: name, ...(ranks !== undefined && { ranks }), threads };
  const label = ranks === undefined ? `${name} × ${threads}` : `${ranks} × ${threads}`;
  return { name: label, what: { ...what, label }, module: new URL(module, import.meta.url).href, options };
}
