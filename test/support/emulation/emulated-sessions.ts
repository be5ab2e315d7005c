import * as ort from "onnxruntime-node";

/** The sessions of a group. Segments without weights are often the same in several layers and ranks, and share one. */
export class EmulatedSessions {
  readonly #opened: ort.InferenceSession[] = [];
  /** By their bytes. */
  readonly #weightless = new Map<string, ort.InferenceSession>();

  /** @param weights by the number under which the segment knows them */
  async open(onnx: Uint8Array, weights: readonly Uint8Array[]): Promise<ort.InferenceSession> {
    if (weights.length > 0) return this.#create(onnx, weights);
    const bytes = Buffer.from(onnx).toString("latin1");
    const session = this.#weightless.get(bytes) ?? (await this.#create(onnx, []));
    this.#weightless.set(bytes, session);
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#opened) await session.release();
  }

  async #create(onnx: Uint8Array, weights: readonly Uint8Array[]): Promise<ort.InferenceSession> {
    const session = await ort.InferenceSession.create(onnx, {
      externalData: weights.map((data, index) => ({ path: String(index), data })),
      intraOpNumThreads: 1,
      // Each session runs once or twice: optimizing it would take longer than running it.
      graphOptimizationLevel: "disabled",
      logSeverityLevel: 4,
      // As in ranks: float activations are not rounded because of a share's shape.
      extra: { session: { qdq_matmulnbits_accuracy_level: "1" } },
    });
    this.#opened.push(session);
    return session;
  }
}
