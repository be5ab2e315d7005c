/** The block of arguments: 32-bit words, pointers and strides in bytes. */
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

/** An addend of the scores; the distance is 0 bytes along an axis on which it is the same for all. */
@unmanaged
export class Addend {
  at: usize;
  perSequence: usize;
  perHead: usize;
}

/** The addend of this number. */
@inline
export function addendAt(args: Arguments, which: usize): Addend {
  return changetype<Addend>(changetype<usize>(args) + offsetof<Arguments>() + which * offsetof<Addend>());
}
