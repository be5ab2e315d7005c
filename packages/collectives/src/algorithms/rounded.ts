import type { Elements } from "../group/elements.js";
import type { Transport } from "../group/transport.js";
import { int8Block, type WireKernels } from "../kernels/kernels.js";

/**
 * The sum over ranks of float32 elements that cross in a narrower form. As in one-shot, every rank publishes its own
 * elements and adds those of all ranks, `((x0 + x1) + x2) + …`, including its own in their published form. So each
 * operand is rounded once, sums are float32, and all ranks get the same bits. A ring would round partial sums at every
 * hop, and two-shot would round the sum before its second round.
 */
export function sumRounded(
  transport: Transport,
  elements: Elements<Float32Array>,
  data: Float32Array,
  { encode, decode }: WireKernels,
): void {
  const { windowLength, worldSize } = transport;
  // Whole blocks, so that no scale depends on where a window ends. A window has at least two blocks.
  const step = windowLength - (windowLength % int8Block);
  for (let from = 0; from === 0 || from < data.length; from += step) {
    const length = Math.min(step, data.length - from);
    const operand = elements.stage(data, from, length);
    encode(transport.claim("all"), operand, length);
    transport.publish();
    const result = elements.result;
    decode(result, transport.receive(0), length);
    for (let peer = 1; peer < worldSize; peer++) {
      decode(operand, transport.receive(peer), length);
      elements.reduce.sum(result, result, operand, length);
    }
    elements.take(data, from, result, length);
  }
}
