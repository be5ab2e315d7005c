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
  // Then for each addend: pointer, bytes from sequence to sequence, bytes from head to head.
}
