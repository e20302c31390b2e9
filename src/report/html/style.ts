/** The style sheet of the HTML report: one column that breathes, two themes, phone and paper. */
import { chartStyle, palette, sans, type Shade } from "#report/charts/palette";

export const style = `:root{color-scheme:light dark;${variables("light")}--ground:#f5f6f8;--chip:#e9edf2;
--sans:${sans};
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
@media screen and (prefers-color-scheme:dark){:root{${variables("dark")}--ground:#0c0f12;--chip:#252c34}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 var(--sans);overflow-wrap:anywhere}
header,main,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{font-size:1.75rem;line-height:1.2;margin:.25rem 0 .75rem;letter-spacing:-.01em}
h2{font-size:1.25rem;line-height:1.3;margin:2.75rem 0 1rem;letter-spacing:-.005em}
p{margin:0}
code,.name{font-family:var(--mono);font-size:.875em}
bdi{unicode-bidi:isolate}
a{color:var(--quantized)}
.brand,.muted{color:var(--muted)}
.brand{font-size:.875rem;font-weight:600;letter-spacing:.02em}
.lead{font-size:1.25rem;line-height:1.45;max-width:46rem}
.card{background:var(--surface);border:1px solid var(--grid);border-radius:10px;padding:1.25rem 1.4rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,14rem),1fr));gap:.9rem;margin:1.75rem 0 0;padding:0}
.figures>div{display:flex;flex-direction:column}
.figures dt{display:flex;justify-content:space-between;gap:.5rem;align-items:baseline;font-size:.875rem;color:var(--muted);font-weight:600;overflow-wrap:normal}
.figures dd{margin:0;font-variant-numeric:tabular-nums}
.figures .value{font-size:1.65rem;line-height:1.25;font-weight:650;letter-spacing:-.015em;margin-top:.35rem}
.figures small{font-size:1rem;font-weight:500;letter-spacing:0}
.figures .note{font-size:.8125rem;line-height:1.4;color:var(--muted);margin-top:auto;padding-top:.5rem}
.chip{font-size:.75rem;font-weight:500;padding:.05rem .5rem;border-radius:1rem;background:var(--chip);color:var(--muted);white-space:nowrap}
.chip.modelled{background:none;border:1px dashed var(--muted)}
.alarm{color:var(--worst)}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.9rem}
figure{margin:0;min-width:0}
figure.wide{grid-column:1/-1}
figure svg{display:block;max-width:100%;height:auto}
figure .phone{display:none}
details>summary{cursor:pointer;color:var(--muted);font-size:.875rem;padding:.35rem 0;width:fit-content}
summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--quantized);outline-offset:2px;border-radius:4px}
figure details{margin-top:.5rem}
.scroll{overflow-x:auto;max-height:26rem;overflow-y:auto}
.scroll.all{max-height:none}
table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.4;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.45rem 1rem .45rem 0;border-bottom:1px solid var(--grid)}
tr>:last-child{padding-right:0}
th{color:var(--muted);font-weight:600;white-space:nowrap;vertical-align:bottom}
.right{text-align:right;white-space:nowrap}
.layers td{overflow-wrap:normal}
.layers .name{overflow-wrap:anywhere;min-width:11rem;display:block}
.layers .reason{min-width:18rem}
.meter{display:block;height:4px;width:6rem;background:var(--grid);border-radius:2px;margin:.3rem 0 0 auto;overflow:hidden}
.meter>span{display:block;height:100%;background:var(--quantized)}
.meter.low>span{background:var(--worst)}
ol.fixes,ul.notes{list-style:none;margin:0;padding:0}
.fixes>li,.notes>li{padding:.8rem 0;border-bottom:1px solid var(--grid)}
.fixes>li:first-child,.notes>li:first-child{padding-top:0}
.fixes>li:last-child,.notes>li:last-child{border:0;padding-bottom:0}
.fixes .name{font-weight:600;font-size:.9375rem}
.hint{margin-top:.2rem}
.hint::before{content:"→ ";color:var(--muted)}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.5rem 1.5rem;margin:0;font-size:.9375rem}
.facts dt{color:var(--muted)}
.facts dd{margin:0}
.facts .digest{font-size:.8125rem;color:var(--muted);word-break:break-all}
pre{margin:.5rem 0 0;padding:.75rem 1rem;background:var(--ground);border-radius:6px;overflow-x:auto;font:.8125rem/1.5 var(--mono);white-space:pre-wrap}
footer{padding-top:2.5rem;padding-bottom:3rem;font-size:.875rem;color:var(--muted)}
@media (max-width:44rem){
header{padding-top:1.5rem}header,main,footer{padding-left:.9rem;padding-right:.9rem}
h1{font-size:1.375rem}.lead{font-size:1.0625rem}.card{padding:1rem}
.figures{grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr));gap:.6rem}.figures .value{font-size:1.375rem;margin:0}.figures .note{padding-top:.15rem}
.charts{grid-template-columns:minmax(0,1fr)}
figure .desk{display:none}figure .phone{display:block}figure .phone svg{width:100%;max-width:25rem}
.facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:.7rem}
}
@media print{
@page{margin:14mm}
body{background:none;font-size:10.5pt}header,main,footer{max-width:none;padding:0}
.card{border-color:#ccc;padding:.8rem 1rem}.card,figure,li,tr{break-inside:avoid}h2{break-after:avoid;margin-top:1.5rem}
.scroll{overflow:visible;max-height:none}figure details{display:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
${chartStyle}`;

function variables(theme: keyof Shade): string {
  return Object.entries(palette)
    .map(([role, shade]) => `--${role}:${shade[theme]};`)
    .join("");
}
