/**
 * The one file that touches ONNX Runtime's session API, public and private.
 *
 * The public `InferenceSession.run` is a synchronous native call behind `setImmediate`, which can cost more than
 * a tiny run itself; the package's own synchronous binding spares it, and a decode step is dozens of runs. That binding
 * is private (`onnxruntime-node/dist/binding.js`), so it is used only in the exact version it was tested with, and
 * only after it has computed a small sum correctly on this thread; else the public call is used.
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { Tensor } from "../tensors/tensor.js";

export type Feeds = Readonly<Record<string, Tensor>>;
/** Outputs to fetch, only what is needed: written to the tensor given, else copied into a new one. */
export type Fetches = Readonly<Record<string, Tensor | null>>;
export type Fetched = Readonly<Record<string, Tensor>>;

/** A session of the thread that opened it. */
export interface OrtSession {
  run(feeds: Feeds, fetches: Fetches): Fetched | Promise<Fetched>;
  release(): void | Promise<void>;
}

/** One way of opening a session on an ONNX model. */
export type OpenSession = (
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
) => OrtSession | Promise<OrtSession>;

/** The documented API. */
export const openPublicSession: OpenSession = async (model, options) => {
  const session = await InferenceSession.create(model, options);
  return {
    run: (feeds, fetches) => session.run(publicFeeds(feeds), publicFetches(fetches)) as Promise<Fetched>,
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

const TESTED_VERSION = "1.30.0";

interface NativeSession {
  loadModel(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength: number,
    options: InferenceSession.SessionOptions,
  ): void;
  /** Options may be left out, and cost the runtime an object of its own for each run where they are not. */
  run(feeds: Feeds, fetches: Fetches): Fetched;
  dispose(): void;
}

interface PrivateBinding {
  readonly binding: {
    readonly InferenceSession: new () => NativeSession;
    /** Tells the native code, on this thread, of which class to make the tensors that it gives. */
    initOrtOnce(logLevel: number, tensorClass: typeof Tensor, isMainThread: boolean): void;
  };
}

/** Of the runtime's environment, which the first thread makes: warnings, as in the public API. */
const logLevel = 2;

/**
 * The private synchronous API, or undefined where it is not what was tested: another version, another shape, or a
 * wrong result.
 */
export function findSynchronousBinding(): OpenSession | undefined {
  if (env.versions.node !== TESTED_VERSION) return undefined;
  const open = requireSynchronousBinding();
  return open !== undefined && addsCorrectly(open) ? open : undefined;
}

function requireSynchronousBinding(): OpenSession | undefined {
  let module: unknown;
  try {
    module = createRequire(import.meta.url)("onnxruntime-node/dist/binding.js");
  } catch {
    return undefined; // The file has moved: the public API is the fallback that the caller logs.
  }
  if (!isPrivateBinding(module)) return undefined;
  const { binding } = module;
  let isInitialized = false;
  return (model, options) => {
    if (!isInitialized) binding.initOrtOnce(logLevel, Tensor, isMainThread);
    isInitialized = true;
    const session = new binding.InferenceSession();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
    return {
      run: (feeds, fetches) => session.run(feeds, fetches),
      release: () => session.dispose(),
    };
  };
}

function isPrivateBinding(module: unknown): module is PrivateBinding {
  if (typeof module !== "object" || module === null || !("binding" in module)) return false;
  const { binding } = module;
  if (typeof binding !== "object" || binding === null) return false;
  const functions = ["InferenceSession", "initOrtOnce"];
  return functions.every((name) => typeof Reflect.get(binding, name) === "function");
}

/** ONNX (IR 8, opset 13) of `y = Add(x, x)`, float32 `[2]`; the test beside this file encodes it anew. */
export const selfCheckModel = new Uint8Array(
  Buffer.from(
    "CAg6OAoOCgF4CgF4EgF5IgNBZGQSBHRpbnlaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgIQDQ==",
    "base64",
  ),
);

function addsCorrectly(open: OpenSession): boolean {
  try {
    const session = open(selfCheckModel, { intraOpNumThreads: 1 });
    if (session instanceof Promise) return false;
    const fetched = session.run({ x: new Tensor("float32", new Float32Array([1.5, -4]), [2]) }, { y: null });
    if (fetched instanceof Promise) return false;
    const sum = fetched.y?.data;
    void session.release();
    return sum instanceof Float32Array && sum.length === 2 && sum[0] === 3 && sum[1] === -8;
  } catch {
    return false; // Not the binding that was tested: the public API is the fallback that the caller logs.
  }
}
