/**
 * Memory of `pages` times 64 KiB, and `read(from, to)`, which does nothing but read it: it combines the bytes between
 * two multiples of 128 with xor, 16 at a time into four registers, and gives some of the result so that no read can
 * be left out.
 */
export async function readableMemory(pages) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { instance } = await WebAssembly.instantiate(readKernel(), { memory: { memory } });
  return { bytes: new Uint8Array(memory.buffer), read: instance.exports.read };
}

/** The module, assembled here since it is one loop; its memory is the import `memory.memory`. */
function readKernel() {
  const [load, xor, firstLane] = [0x00, 0x51, 0x1b].map((code) => [0xfd, code]);
  const get = (local) => [0x20, local];
  const set = (local) => [0x21, local];
  const [from, to, registers] = [0, 1, [2, 3, 4, 5]];

  const loads = Array.from({ length: 8 }, (_, i) => {
    const register = registers[i % 4];
    // Aligned to 2^4 bytes.
    return [...get(register), ...get(from), ...load, 4, 16 * i, ...xor, ...set(register)];
  }).flat();
  const advance = [...get(from), 0x41, 0x80, 0x01 /* i32.const 128 */, 0x6a /* i32.add */, ...set(from)];
  const again = [...get(from), ...get(to), 0x49 /* i32.lt_u */, 0x0d, 0 /* br_if */];
  const combined = [
    ...get(registers[0]),
    ...registers.slice(1).flatMap((register) => [...get(register), ...xor]),
  ];
  const body = [
    ...[1, 4, 0x7b], // 4 locals of v128
    ...[0x03, 0x40, ...loads, ...advance, ...again, 0x0b], // loop
    ...[...combined, ...firstLane, 0, 0x0b],
  ];
  const name = (text) => [text.length, ...Buffer.from(text)];
  const section = (id, ...content) => [id, ...unsigned(content.length), ...content];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f), // (i32, i32) → i32
    ...section(2, 1, ...name("memory"), ...name("memory"), 2, 0, 1),
    ...section(3, 1, 0),
    ...section(7, 1, ...name("read"), 0, 0),
    ...section(10, 1, ...unsigned(body.length), ...body),
  ]);
}

/** LEB128, below 2^14. */
function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}
