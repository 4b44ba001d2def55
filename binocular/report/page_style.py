"""The style sheet of the report: light, readable on a telephone, and fit for print."""

from __future__ import annotations

from binocular.report.figures.style import EYE_COLOURS

__all__ = ["STYLE_SHEET"]

STYLE_SHEET = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1c1c1c; font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 56px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 10px; padding-top: 14px; border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 20px 0 6px; }
p { margin: 8px 0; max-width: 78ch; }
li { max-width: 78ch; }
.facts { color: #555; }
.small, figcaption { font-size: .875rem; color: #555; max-width: 88ch; }
.left { color: LEFT; } .right { color: RIGHT; }
.warning { border-left: 4px solid #B8860B; background: #FFF8E5; padding: 10px 14px;
  margin: 16px 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
figure { margin: 28px 0; }
figure img { display: block; max-width: 100%; height: auto; }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: 6px 10px; text-align: right; vertical-align: top;
  border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
thead th { font-weight: 600; border-bottom: 2px solid #888; }
.results { width: 100%; }
.results th:first-child { text-align: left; position: sticky; left: 0; background: #fff;
  white-space: normal; min-width: 8.5em; }
.results td span { display: block; color: #666; font-size: .8rem; }
.origin th, .origin td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.origin th { font-weight: 400; color: #555; min-width: 8em; }
.history { margin: 12px 0; }
.history span { display: block; font-size: .875rem; color: #555; }
.bar { display: flex; height: 12px; margin: 2px 0;
  background: repeating-linear-gradient(90deg, #f7f7f7 0 6px, #fff 6px 12px); }
.bar i { display: block; }
pre { background: #f6f6f6; padding: 12px 14px; overflow: auto; max-height: 28rem;
  font-size: .82rem; line-height: 1.45; }
code { font-size: .9em; overflow-wrap: anywhere; }
@media print {
  @page { margin: 14mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, .history, tr { break-inside: avoid; }
  figure img { min-width: 0 !important; }
  .scroll { overflow: visible; }
  .results { font-size: 8pt; } .results th, .results td { padding: 3px 5px; }
  .results th:first-child { position: static; min-width: 0; }
  pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""".replace("LEFT", EYE_COLOURS["left"]).replace("RIGHT", EYE_COLOURS["right"])
