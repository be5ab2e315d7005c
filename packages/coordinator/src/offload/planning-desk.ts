import { RingrankError } from "@ringrank/errors";
import { readGenerationConfig } from "@ringrank/model";
import {
  buildPrograms,
  type PartitionPolicy,
  type ProgramOptions,
  planGraph,
  policyFromJSON,
} from "@ringrank/policy";
import { describeModel } from "./describe-model.js";
import { type OpenedModel, openModel } from "./open-model.js";
import type { PlanningService, PlanReply, PlanRequest, Preparation } from "./planning-service.js";

interface PlannedModel {
  readonly model: OpenedModel;
  readonly policy: PartitionPolicy;
}

/** One model, opened and planned on the planning thread. */
export class PlanningDesk implements PlanningService {
  #planned: PlannedModel | undefined;

  plan({ pathOrId, dtype, policy: given, ...options }: PlanRequest): PlanReply {
    const model = openModel(pathOrId, dtype);
    const { graph } = model;
    const policy = given === undefined ? planGraph(graph, options) : policyFromJSON(graph, given, options);
    this.#planned = { model, policy };
    return { policy: policy.toJSON(), directory: model.directory };
  }

  prepare(options?: ProgramOptions): Preparation {
    const planned = this.#planned;
    if (planned === undefined)
      throw new RingrankError("RR_INPUT", "expected plan to be called before prepare");
    const { model, policy } = planned;
    const { graph, directory, config, files, unused } = model;
    model.checkWeights();
    const generation = readGenerationConfig(directory, config);
    const facts = describeModel(model, generation);
    const programs = buildPrograms(graph, policy, options);
    return { programs, facts, files, unsupported: generation.unsupported, unused };
  }
}
