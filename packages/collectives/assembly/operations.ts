// The operations of kernels on two operands.

export enum Operation {
  sum,
  max,
}

// Inlined where `operation` is a constant, so no branch on it is left in the loops.

@inline
export function combineFour<T extends number>(operation: Operation, left: v128, right: v128): v128 {
  return operation == Operation.sum ? v128.add<T>(left, right) : v128.max<T>(left, right);
}

@inline
export function combine<T extends number>(operation: Operation, left: T, right: T): T {
  return operation == Operation.sum ? <T>(left + right) : max<T>(left, right);
}
