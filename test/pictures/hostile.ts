/**
 * Names that files of strangers could carry: markup, terminal escapes, a right-to-left override, lone surrogates, a
 * megabyte.
 */
export const hostileNames: readonly string[] = [
  "</text></svg><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "\u001b[2J\u001b[31mred\u0007\u0000",
  "weights\u202etxt.exe\u2066",
  "\ud800 half of a pair",
  "zero\u200bwidth\ufeff\u00ad",
  "e\u0301\u0301\u0301\u0301\u0301\u0301 piled",
  "层/注意力/查询/权重/量化/线性/投影/输出/残差/规范化/第十二层",
  "]]>&amp;<!--",
  `${"very/long/".repeat(100_000)}name`,
  "",
  "{{7*7}}${7*7}",
];
