/** Comma-separated values (RFC 4180): quoted fields may hold commas, line breaks and doubled quotes. Blank lines are left out. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  const endField = (): void => {
    row.push(field.trim());
    field = "";
  };
  const endRow = (): void => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[i + 1] === '"') field += text[i++];
      else quoted = false;
    } else if (letter === '"' && field.trim() === "") {
      quoted = true;
      field = "";
    } else if (letter === ",") endField();
    else if (letter === "\n") endRow();
    else field += letter; // a "\r" before the line break is trimmed
  }
  endRow();
  return rows;
}
