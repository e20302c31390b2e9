/**
 * Hadamard matrices: entries ±1, rows orthogonal, H·Hᵀ = n·I. Multiplying with H/√n turns a vector without changing its length, and
 * spreads one large entry evenly over all.
 *
 * Built are orders m·2ᵏ: Sylvester's doubling [H H; H −H], from a core of order m which is 1 or one of Paley's (1933), q prime:
 *
 *   I    m = q + 1,    q ≡ 3 mod 4     H = I + S,  S = [0 1; −1 Q]
 *   II   m = 2(q + 1), q ≡ 1 mod 4     H = C ⊗ [1 1; 1 −1] + I ⊗ [1 −1; −1 −1],  C = [0 1; 1 Q]
 *
 * where Q[i][j] = χ(i − j), and χ(a) is 1 for the squares mod q, −1 for the others and 0 for 0.
 */

/** A core is multiplied entry by entry, so its order is bounded; beyond, doubling is as good. */
const largestCore = 256;

/** The largest order that divides n and is built here. → 4096 for 4096, 12 for 36, 1 for 27 */
export function hadamardOrder(n: number): number {
  let order = 1;
  for (let core = 1; core <= Math.min(n, largestCore); core++) {
    if (n % core !== 0 || !isCore(core)) continue;
    let doubled = core;
    while (n % (doubled * 2) === 0) doubled *= 2;
    order = Math.max(order, doubled);
  }
  return order;
}

/** H, row by row; `order` is one that `hadamardOrder` gives. */
export function hadamardMatrix(order: number): Int8Array {
  const rows = new Float64Array(order * order);
  for (let i = 0; i < order; i++) rows[i * order + i] = 1;
  hadamardTransform(order)(rows);
  return Int8Array.from(rows);
}

/**
 * A function that replaces each stretch x of `order` values by x·H, or by x·Hᵀ; not normalized. Sylvester's part takes n·log₂ n
 * additions (the fast Walsh–Hadamard transform), in one fixed order, so that every engine rounds alike.
 */
export function hadamardTransform(order: number): (values: Float64Array, transposed?: boolean) => void {
  const core = coreOf(order);
  const matrix = core === 1 ? undefined : coreMatrix(core);
  return (values, transposed = false) => {
    if (matrix !== undefined) multiplyCore(values, matrix, core, transposed);
    for (let half = core; half < order; half *= 2) {
      for (let block = 0; block < values.length; block += 2 * half) {
        for (let i = block, j = block + half; i < block + half; i++, j++) {
          const a = values[i];
          const b = values[j];
          values[i] = a + b;
          values[j] = a - b;
        }
      }
    }
  };
}

/** Each stretch of `size` values times the core. */
function multiplyCore(values: Float64Array, matrix: Int8Array, size: number, transposed: boolean): void {
  const [down, across] = transposed ? [1, size] : [size, 1];
  const product = new Float64Array(size);
  for (let start = 0; start < values.length; start += size) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += values[start + i] * matrix[i * down + j * across];
      product[j] = sum;
    }
    values.set(product, start);
  }
}

/** The core that an order is doubled from: the smallest, as its products cost most. */
function coreOf(order: number): number {
  let core = order;
  while (core % 2 === 0) core /= 2;
  while (core < order && !isCore(core)) core *= 2;
  return core;
}

function isCore(m: number): boolean {
  return m === 1 || isPaleyI(m) || isPaleyII(m);
}

function isPaleyI(m: number): boolean {
  return m % 4 === 0 && isPrime(m - 1);
}

function isPaleyII(m: number): boolean {
  return m % 4 === 0 && (m / 2 - 1) % 4 === 1 && isPrime(m / 2 - 1);
}

function coreMatrix(m: number): Int8Array {
  return isPaleyI(m) ? paleyI(m) : paleyII(m);
}

function paleyI(m: number): Int8Array {
  const chi = quadraticCharacter(m - 1);
  return fill(m, (i, j) => (i === j ? 1 : i === 0 ? 1 : j === 0 ? -1 : chi(i - j)));
}

function paleyII(m: number): Int8Array {
  const chi = quadraticCharacter(m / 2 - 1);
  return fill(m, (i, j) => {
    const [a, b, r, c] = [i >> 1, j >> 1, i & 1, j & 1];
    if (a === b) return r === 0 && c === 0 ? 1 : -1;
    const entry = a === 0 || b === 0 ? 1 : chi(a - b);
    return r === 1 && c === 1 ? -entry : entry;
  });
}

function fill(m: number, entry: (i: number, j: number) => number): Int8Array {
  return Int8Array.from({ length: m * m }, (_, at) => entry(Math.floor(at / m), at % m));
}

/** χ of the integers mod a prime. */
function quadraticCharacter(q: number): (a: number) => number {
  const squares = new Set(Array.from({ length: q }, (_, a) => (a * a) % q));
  return (a) => {
    const rest = ((a % q) + q) % q;
    return rest === 0 ? 0 : squares.has(rest) ? 1 : -1;
  };
}

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
