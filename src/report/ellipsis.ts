/**
 * A text cut in its middle so that it fits: layer names differ at their ends (`…/block.3/conv.1/Conv`), so the end
 * keeps more than the start. `measure` says how wide a text is, in the unit of `room`; default one per character.
 * → ellipsis("features.12.conv.0.weight", 16) → "featur….0.weight"
 */
export function ellipsis(
  text: string,
  room: number,
  measure: (text: string) => number = (part) => part.length,
): string {
  if (text.length <= longestKept && measure(text) <= room) return text;
  const long = text.length > longestKept;
  const ends = long ? text.slice(0, longestKept / 2) + text.slice(-longestKept / 2) : text;
  const characters = Array.from(ends).filter((character) => !long || !/\p{Cs}/u.test(character)); // halves of a pair
  // the widest cut that fits, by halving: measuring is monotone in the number of characters kept
  let fits = 0;
  let tooMany = characters.length;
  while (tooMany - fits > 1) {
    const kept = (fits + tooMany) >> 1;
    if (measure(cut(characters, kept)) <= room) fits = kept;
    else tooMany = kept;
  }
  return fits === 0 ? "…" : cut(characters, fits);
}

/** Names of a megabyte exist in hostile files; what is measured of them is their two ends. */
const longestKept = 4096;

function cut(characters: readonly string[], kept: number): string {
  const tail = (kept + 1) >> 1;
  return `${characters.slice(0, kept - tail).join("")}…${characters.slice(characters.length - tail).join("")}`;
}

/** A message or a hint, which may quote names: whole, unless it is absurd. */
export function fullMessage(message: string): string {
  return ellipsis(message, 600);
}

/** A name from a file as captions and tooltips show it: whole, unless it is absurd. */
export function fullName(name: string): string {
  return name === "" ? "(no name)" : ellipsis(name, 300);
}
