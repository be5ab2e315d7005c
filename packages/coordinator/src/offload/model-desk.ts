import { RingrankError } from "@ringrank/errors";
import { loadTokenizer, readGenerationConfig, type Tokenizer, type TokenStream } from "@ringrank/model";
import { buildPrograms, type PartitionPolicy, planGraph, policyFromJSON } from "@ringrank/policy";
import type { TokenText } from "../generation/detokenizer.js";
import { describeModel } from "./describe-model.js";
import type { OffloadService, PlanReply, PlanRequest, Preparation } from "./offload-service.js";
import { type OpenedModel, openModel } from "./open-model.js";

interface PlannedModel {
  readonly model: OpenedModel;
  readonly policy: PartitionPolicy;
}

/** One model, opened and planned on the offload thread; later its tokenizer. */
export class ModelDesk implements OffloadService {
  #planned: PlannedModel | undefined;
  #tokenizer: Tokenizer | undefined;
  /** By generation, while its text is in the making. */
  readonly #texts = new Map<number, TokenStream>();

  plan({ pathOrId, dtype, policy: given, ...options }: PlanRequest): PlanReply {
    const model = openModel(pathOrId, dtype);
    const { graph } = model;
    const policy = given === undefined ? planGraph(graph, options) : policyFromJSON(graph, given, options);
    this.#planned = { model, policy };
    return { policy: policy.toJSON() };
  }

  prepare(): Preparation {
    const planned = this.#planned;
    if (planned === undefined) throw new RingrankError("RR_CLOSED", "prepare was called before plan");
    const { model, policy } = planned;
    const { directory, config, graph } = model;
    model.checkWeights();
    this.#tokenizer = loadTokenizer(directory);
    const generation = readGenerationConfig(directory, config);
    const facts = describeModel(model, generation, this.#tokenizer !== undefined);
    const programs = buildPrograms(graph, policy);
    // From here on the desk only tokenizes.
    this.#planned = undefined;
    return { programs, facts, unsupported: generation.unsupported, unused: model.unused };
  }

  encode(text: string): readonly number[] {
    return this.#requireTokenizer().encode(text);
  }

  detokenize(generation: number, id: number, last: boolean): TokenText {
    const tokenizer = this.#requireTokenizer();
    const stream = this.#texts.get(generation) ?? tokenizer.stream();
    if (last) this.#texts.delete(generation);
    else this.#texts.set(generation, stream);
    const text = stream.push(id);
    const isSettled = tokenizer.textsAddUp && stream.isWhole;
    return { text: last ? text + stream.flush() : text, isSettled };
  }

  forget(generation: number): void {
    this.#texts.delete(generation);
  }

  #requireTokenizer(): Tokenizer {
    if (this.#tokenizer !== undefined) return this.#tokenizer;
    throw new RingrankError(
      "RR_NO_TOKENIZER",
      "expected token ids: the model has no tokenizer.json, so it cannot take or give text",
    );
  }
}
