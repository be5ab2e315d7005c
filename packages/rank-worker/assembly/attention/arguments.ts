/**
 * The block of arguments, in 32-bit words. `…Row` and `…Head` are bytes from one row (of a sequence) or head to the
 * next. src/attention/row-attention.ts fills it.
 */
@unmanaged
export class Arguments {
  batch: u32;
  keyValueHeads: u32;
  group: u32;
  lanes: u32;
  past: u32;
  query: usize;
  queryRow: usize;
  queryHead: usize;
  key: usize;
  keyRow: usize;
  keyHead: usize;
  value: usize;
  valueRow: usize;
  valueHead: usize;
  pastKeys: usize;
  pastValues: usize;
  presentKeys: usize;
  presentValues: usize;
  context: usize;
  scale: f32;
  rotaryLanes: u32;
  interleaved: u32;
  cos: usize;
  sin: usize;
  scratch: usize;
  addends: u32;
  // Then an Addend for each.
}

/** What is added to the scores: `past + 1` floats for each head of each sequence, at distances of 0 bytes if shared. */
@unmanaged
export class Addend {
  at: usize;
  perSequence: usize;
  perHead: usize;
}

@inline
export function addendAt(args: Arguments, which: usize): Addend {
  return changetype<Addend>(changetype<usize>(args) + offsetof<Arguments>() + which * offsetof<Addend>());
}
