/**
 * ONNX Runtime's native binding. Only this file and public-session.ts use its session API.
 *
 * The public `InferenceSession.run` is a synchronous native call behind `setImmediate`, which can cost more than a tiny
 * run itself, and a decode step makes dozens of runs. The binding below it avoids that. Loading the package around it,
 * about 20 modules, also takes each rank's thread longer than loading the binding alone. But the binding is private, so
 * it is only used in the exact version it was tested with, and only after it has computed a small sum correctly on this
 * thread; otherwise the public call is used.
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { Tensor } from "../tensors/tensor.js";
import { discardCopy, withGivenOutputs } from "./given-outputs.js";

export type Feeds = Readonly<Record<string, Tensor>>;
/**
 * Outputs to fetch, only those that are needed: written to the given tensor, which the run returns, else to a new one.
 */
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

const TESTED_VERSION = "1.30.0";

interface NativeSession {
  loadModel(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength: number,
    options: InferenceSession.SessionOptions,
  ): void;
  /** Options can be omitted; otherwise they cost the runtime an object for each run. */
  run(feeds: Feeds, fetches: Fetches): Record<string, Tensor>;
  dispose(): void;
}

interface PrivateBinding {
  readonly InferenceSession: new () => NativeSession;
  /** Tells the native code, on this thread, which class its tensors should have. */
  initOrtOnce(logLevel: number, tensorClass: typeof Tensor, isMainThread: boolean): void;
}

/** For the runtime's environment, which the first thread creates: warnings, as in the public API. */
const logLevel = 2;

/**
 * The private synchronous API, or undefined if it is not the tested one: another version, another shape, or a wrong
 * result.
 */
export function findSynchronousBinding(): OpenSession | undefined {
  const binding = requireBinding();
  if (binding === undefined) return undefined;
  const open = opening(binding);
  return addsCorrectly(open) ? open : undefined;
}

function requireBinding(): PrivateBinding | undefined {
  const require = createRequire(import.meta.url);
  try {
    const { version } = require("onnxruntime-node/package.json") as { readonly version?: unknown };
    if (version !== TESTED_VERSION) return undefined;
    const place = `${process.platform}/${process.arch}`;
    const binding: unknown = require(`onnxruntime-node/bin/napi-v6/${place}/onnxruntime_binding.node`);
    return isPrivateBinding(binding) ? binding : undefined;
  } catch {
    return undefined; // The file has moved: the public API is the fallback that the caller logs.
  }
}

function opening(binding: PrivateBinding): OpenSession {
  let isInitialized = false;
  return (model, options) => {
    if (!isInitialized) binding.initOrtOnce(logLevel, Tensor, isMainThread);
    isInitialized = true;
    const session = new binding.InferenceSession();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
    return {
      run: (feeds, fetches) => withGivenOutputs(session.run(feeds, fetches), fetches, discardCopy),
      release: () => session.dispose(),
    };
  };
}

function isPrivateBinding(binding: unknown): binding is PrivateBinding {
  if (typeof binding !== "object" || binding === null) return false;
  const functions = ["InferenceSession", "initOrtOnce"];
  return functions.every((name) => typeof Reflect.get(binding, name) === "function");
}

/** ONNX (IR 8, opset 13) of `y = Add(x, x)`, float32 `[2]`; the test next to this file encodes it again. */
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
