import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor } from "../tensors/tensor.js";
import { withGivenOutputs } from "./given-outputs.js";
import type { Feeds, Fetches, OpenSession } from "./ort-binding.js";

/** ONNX Runtime by its documented API. */
export const openPublicSession: OpenSession = async (model, options) => {
  const session = await InferenceSession.create(model, options);
  return {
    run: async (feeds, fetches) => {
      const fetched = await session.run(publicFeeds(feeds), publicFetches(fetches));
      return withGivenOutputs({ ...fetched } as Record<string, Tensor>, fetches);
    },
    release: () => session.release(),
  };
};

function publicFeeds(feeds: Feeds): InferenceSession.FeedsType {
  return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, publicTensor(value)]));
}

function publicFetches(fetches: Fetches): InferenceSession.FetchesType {
  const entries = Object.entries(fetches);
  return Object.fromEntries(entries.map(([name, into]) => [name, into && publicTensor(into)]));
}

function publicTensor({ type, data, dims }: Tensor): OrtTensor {
  return new OrtTensor(type as keyof OrtTensor.DataTypeMap, data as OrtTensor.DataType, dims);
}
