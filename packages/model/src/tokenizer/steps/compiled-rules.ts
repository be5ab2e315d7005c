/**
 * Rules compiled by SentencePiece (`Normalizer::DecodePrecompiledCharsMap` in
 * https://github.com/google/sentencepiece/blob/master/src/normalizer.cc): the size of a trie in bytes; the trie, a
 * double array of darts-clone; and texts that end with a zero byte each. The trie's values are offsets of these texts.
 *
 * A unit of the trie has 32 bits: the label of its incoming edge (8), whether a value is below it (1), and the offset
 * of its children (1 for the scale, 22 for the offset).
 */
export class CompiledRules {
  readonly #units: Uint32Array;
  readonly #texts: Buffer;

  /** @throws Error if `bytes` are truncated, or contain no trie */
  constructor(bytes: Buffer) {
    const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
    if (size < 4 || size % 4 !== 0 || bytes.length < 4 + size) {
      throw new Error(`expected "precompiled_charsmap" to have rules, got ${bytes.length} bytes`);
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, unit) => bytes.readUInt32LE(4 + 4 * unit));
    this.#texts = bytes.subarray(4 + size);
  }

  /** The replacement of a text, in UTF-8. As in Rust, the shortest prefix with a rule determines it. */
  resultOf(bytes: Uint8Array): string | undefined {
    let at = offsetOf(this.#unit(0));
    for (const byte of bytes) {
      at ^= byte;
      const unit = this.#unit(at);
      // The unit of a value has the highest bit set.
      if (byte === 0 || (unit & 0x8000_00ff) !== byte) return undefined;
      at ^= offsetOf(unit);
      if ((unit & 0x100) !== 0) return this.#text(this.#unit(at) & 0x7fff_ffff);
    }
    return undefined;
  }

  /** 0 beyond the end; no edge leads to it. */
  #unit(at: number): number {
    return this.#units[at] ?? 0;
  }

  #text(start: number): string {
    const end = this.#texts.indexOf(0, start);
    return this.#texts.toString("utf8", start, end === -1 ? undefined : end);
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
