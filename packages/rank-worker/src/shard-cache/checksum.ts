import { readSync } from "node:fs";
import { isRingrankError } from "@ringrank/errors";
import { instantiate, localMemory } from "@ringrank/webassembly";
import { kernelFiles } from "../kernels/rank-kernels.js";
import { plainFletcher4 } from "./plain-fletcher.js";

/** The bytes that are summed at a time, which stay in the core's own cache after they have been read. */
const windowBytes = 1 << 18;
const sumsBytes = 128;
const vectorBytes = 16;

/** The memory of one thread's kernel: the sums, then bytes to add to them. */
interface Kernel {
  readonly sums: Uint8Array;
  readonly window: Uint8Array;
  /** Adds the first bytes of the window, a multiple of 16. */
  add(bytes: number): void;
}

let ofThread: Kernel | undefined;

function openKernel(): Kernel {
  try {
    return compiledKernel();
  } catch (error) {
    // A process that cannot check an entry would consider it damaged.
    if (isRingrankError(error) && error.code === "RR_ADDRESS_SPACE") return plainKernel();
    throw error;
  }
}

function compiledKernel(): Kernel {
  const memory = localMemory(sumsBytes + windowBytes);
  const { fletcher4 } = instantiate<{ fletcher4(sums: number, from: number, bytes: number): void }>(
    memory,
    kernelFiles.fused,
    kernelFiles.plain,
  );
  return {
    sums: new Uint8Array(memory.buffer, 0, sumsBytes),
    window: new Uint8Array(memory.buffer, sumsBytes, windowBytes),
    add: (bytes) => fletcher4(0, sumsBytes, bytes),
  };
}

function plainKernel(): Kernel {
  const sums = new Int32Array(sumsBytes / 4);
  const words = new Int32Array(windowBytes / 4);
  return {
    sums: new Uint8Array(sums.buffer),
    window: new Uint8Array(words.buffer),
    add: (bytes) => plainFletcher4(sums, words.subarray(0, bytes / 4)),
  };
}

/**
 * Fletcher's checksum of bytes that arrive in pieces, as ZFS keeps with its blocks ("fletcher4": four 64-bit sums of
 * 32-bit words), in four parallel lanes (assembly/checksum.ts). Every load sums every byte of the weights. This takes
 * no longer than reading them, while a CRC-32 would take five times as long.
 *
 * @see J. G. Fletcher, An Arithmetic Checksum for Serial Transmissions, 1982
 */
export class Checksum {
  readonly #kernel: Kernel;
  readonly #sums = new Uint8Array(sumsBytes);
  /** Bytes that do not fill a whole vector yet. */
  readonly #rest = new Uint8Array(vectorBytes);
  #restBytes = 0;

  /** @throws RR_OPTION if this engine cannot run the kernel */
  constructor() {
    ofThread ??= openKernel();
    this.#kernel = ofThread;
  }

  update(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const room = this.#room();
      const piece = bytes.subarray(done, done + room.length);
      room.set(piece);
      this.#take(piece.length);
      done += piece.length;
    }
  }

  /**
   * Adds the rest of a file.
   *
   * @throws the errors of node:fs
   */
  updateFrom(descriptor: number): void {
    for (;;) {
      const room = this.#room();
      const count = readSync(descriptor, room);
      if (count === 0) return;
      this.#take(count);
    }
  }

  /** All sums, in hexadecimal, of the bytes, padded with zeros to a whole vector. No bytes can be added afterwards. */
  digest(): string {
    if (this.#restBytes > 0) {
      const room = this.#room();
      const zeros = vectorBytes - this.#restBytes;
      room.fill(0, 0, zeros);
      this.#take(zeros);
    }
    return Buffer.from(this.#sums).toString("hex");
  }

  /** The window after the leftover bytes of earlier pieces. */
  #room(): Uint8Array {
    const { window } = this.#kernel;
    window.set(this.#rest.subarray(0, this.#restBytes));
    return window.subarray(this.#restBytes);
  }

  /** Adds the leftover bytes of earlier pieces and this many bytes of the window after them. */
  #take(count: number): void {
    const { window, sums, add } = this.#kernel;
    const bytes = this.#restBytes + count;
    const whole = bytes - (bytes % vectorBytes);
    sums.set(this.#sums);
    add(whole);
    this.#sums.set(sums);
    this.#rest.set(window.subarray(whole, bytes));
    this.#restBytes = bytes - whole;
  }
}

/** The checksum of complete data. */
export function checksumOf(bytes: Uint8Array): string {
  const checksum = new Checksum();
  checksum.update(bytes);
  return checksum.digest();
}
