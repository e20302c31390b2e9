/**
 * About how many pixels a text takes in a 12 px sans-serif face. A picture is a string made without a browser, so
 * nobody can measure; the classes are those of DejaVu Sans and Verdana, the widest faces in use, so that a text never
 * needs more.
 */
export function textWidth(text: string, size = 12): number {
  let units = 0;
  for (const character of text) units += unitsOf(character);
  return (units * size) / 100;
}

function unitsOf(character: string): number {
  if (/[a-z0-9]/.test(character)) {
    if (/[ijl]/.test(character)) return 29;
    if (/[frt]/.test(character)) return 40;
    return /[mw]/.test(character) ? 95 : 63;
  }
  if (/[A-Z]/.test(character)) return character === "I" ? 32 : /[MW]/.test(character) ? 95 : 72;
  if (/[ .,:;'|!/\\()[\]-]/.test(character)) return 36;
  if (/[%→…×−+<>=≤≥±]/.test(character)) return 90;
  return character.codePointAt(0)! > 0x1100 ? 104 : 66;
}
