/**
 * The name a weight had before it was quantized, from the names of its parts: what they have in common up to a separator.
 * `known` names settle it. → "conv1.weight_quantized" beside "conv1.weight_scale" was "conv1.weight"
 */
export function weightName(codes: string, others: readonly string[], known?: ReadonlySet<string>): string {
  if (known?.has(codes) === true) return codes;
  const stems = [longestKnown(codes, known), ...others.map((other) => commonStem(codes, other))];
  return stems.find((stem) => stem !== undefined) ?? codes;
}

/** What quantizers add to a name: a separator and one word, with a number where that name was taken. → "_q", ".dq", "_q_1" */
const suffix = /^[._\-:/]?[A-Za-z0-9]+(_\d+)?$/;
const separator = /[._\-:/]/;

function longestKnown(codes: string, known: ReadonlySet<string> | undefined): string | undefined {
  for (let length = known === undefined ? 0 : codes.length - 1; length > 0; length--) {
    const stem = codes.slice(0, length);
    if (known?.has(stem) === true && suffix.test(codes.slice(length))) return stem;
  }
  return undefined;
}

function commonStem(codes: string, other: string): string | undefined {
  if (codes === other) return undefined;
  let length = 0;
  while (length < codes.length && codes[length] === other[length]) length++;
  const ends = (name: string): boolean => length === name.length || separator.test(name[length]);
  const parted = (length > 0 && separator.test(codes[length - 1])) || (ends(codes) && ends(other));
  const stem = codes.slice(0, length).replace(/[._\-:/]+$/, "");
  return parted && stem !== "" && suffix.test(codes.slice(stem.length)) ? stem : undefined;
}
