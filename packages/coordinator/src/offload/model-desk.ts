import { RingrankError } from "@ringrank/errors";
import {
  buildGraph,
  type Checkpoint,
  checkPayload,
  type Graph,
  loadTokenizer,
  openCheckpoint,
  readGenerationConfig,
  resolveModel,
  type Tokenizer,
  type TokenStream,
} from "@ringrank/model";
import { buildPrograms, type PartitionPolicy, planGraph, policyFromJSON } from "@ringrank/policy";
import { describeModel } from "./describe-model.js";
import type { OffloadService, PlanReply, PlanRequest, Preparation } from "./offload-service.js";

interface OpenModel {
  readonly checkpoint: Checkpoint;
  readonly graph: Graph;
  readonly policy: PartitionPolicy;
}

/** One model, opened and planned on the offload thread; later its tokenizer. */
export class ModelDesk implements OffloadService {
  #model: OpenModel | undefined;
  #tokenizer: Tokenizer | undefined;
  /** By generation, while its text is in the making. */
  readonly #texts = new Map<number, TokenStream>();

  plan({ pathOrId, ranks, objective, memoryPerRank, policy: given }: PlanRequest): PlanReply {
    const checkpoint = openCheckpoint(resolveModel(pathOrId));
    const { graph } = buildGraph(checkpoint);
    const policy =
      given === undefined
        ? planGraph(graph, { ranks, objective, memoryPerRank })
        : policyFromJSON(graph, given, { ranks });
    this.#model = { checkpoint, graph, policy };
    return { policy: policy.toJSON() };
  }

  prepare(): Preparation {
    const model = this.#model;
    if (model === undefined) throw new RingrankError("RR_CLOSED", "prepare was called before plan");
    const { checkpoint, graph, policy } = model;
    checkPayload(checkpoint);
    this.#tokenizer = loadTokenizer(checkpoint.directory);
    const generation = readGenerationConfig(checkpoint.directory, checkpoint.config);
    const facts = describeModel(checkpoint, graph, generation, this.#tokenizer !== undefined);
    const programs = buildPrograms(graph, policy);
    // From here on the desk only tokenizes.
    this.#model = undefined;
    return { programs, facts, unsupported: generation.unsupported };
  }

  encode(text: string): readonly number[] {
    return this.#requireTokenizer().encode(text);
  }

  detokenize(generation: number, id: number, last: boolean): string {
    const stream = this.#texts.get(generation) ?? this.#requireTokenizer().stream();
    if (last) this.#texts.delete(generation);
    else this.#texts.set(generation, stream);
    const text = stream.push(id);
    return last ? text + stream.flush() : text;
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
