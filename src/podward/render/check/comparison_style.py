"""The style sheet of a comparison's page: for light and dark, for wide and narrow windows, and for paper."""

from __future__ import annotations

from podward.render.html_page import colour_properties

_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--panel);color:var(--text);
font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
main{max-width:1240px;margin:0 auto;padding:24px 24px 48px}
h1{font-size:1.3rem;margin:0;line-height:1.3;overflow-wrap:anywhere}
h1 .side{font-weight:650}h1 .to{color:var(--muted);font-weight:400;margin:0 .35em}
.kicker{color:var(--muted);margin:0 0 .2rem;font-size:12.5px;letter-spacing:.02em}
.lead{margin:.5rem 0 1rem;color:var(--muted)}.lead b{color:var(--text)}
.bar{display:flex;height:12px;border-radius:6px;overflow:hidden;background:var(--line);gap:2px;margin:0 0 .5rem}
.bar i{display:block;min-width:6px}
.bad{background:var(--refused)}.other{background:var(--hint)}.good{background:var(--manifest)}.still{background:var(--muted)}
.same{background:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:0 0 1.4rem;padding:0;list-style:none;color:var(--muted);
font-size:13px}
.legend li{margin:0}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:.45em;border:1px solid var(--line)}
.legend b{color:var(--text)}
nav{display:grid;grid-template-columns:repeat(auto-fill,minmax(152px,1fr));gap:10px;margin:0 0 1.8rem}
nav a{display:block;background:var(--ground);border:1px solid var(--line);border-left-width:4px;border-radius:8px;
padding:.55rem .8rem;color:var(--text);text-decoration:none;line-height:1.25}
nav a b{display:block;font-size:1.45rem;font-weight:650;font-variant-numeric:tabular-nums}
nav a span{color:var(--muted);font-size:12.5px}
nav a:hover{border-color:var(--manifest)}
nav .k-bad{border-left-color:var(--refused)}nav .k-bad b{color:var(--refused)}
nav .k-other{border-left-color:var(--hint)}nav .k-good{border-left-color:var(--manifest)}
nav .k-still{border-left-color:var(--muted)}
:focus-visible{outline:3px solid var(--hint);outline-offset:2px}
section{background:var(--ground);border:1px solid var(--line);border-radius:10px;margin:0 0 1.2rem;overflow:hidden;
scroll-margin-top:1rem}
section>header{padding:.75rem 1rem .6rem;border-bottom:1px solid var(--line)}
h2{font-size:1.02rem;margin:0;display:flex;gap:.6em;align-items:baseline;flex-wrap:wrap}
h2 small{font-size:13px;font-weight:400;color:var(--muted)}
section>header p{margin:.1rem 0 0;color:var(--muted);font-size:13px}
.k-bad>header{border-left:4px solid var(--refused)}.k-bad h2 span{color:var(--refused)}
.k-other>header{border-left:4px solid var(--hint)}.k-good>header{border-left:4px solid var(--manifest)}
.k-still>header{border-left:4px solid var(--muted)}
table{border-collapse:collapse;width:100%}
.changes{table-layout:fixed}
.changes col.w{width:31%}.changes col.b,.changes col.a{width:16.5%}
th{font-size:12px;font-weight:600;color:var(--muted);text-align:left}
th,td{padding:.55rem 1rem;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-top:0;padding-top:.45rem;padding-bottom:.35rem}
tbody tr:first-child td,tbody tr:first-child th{border-top:1px solid var(--line)}
td.before{color:var(--muted)}td.after{font-weight:600;position:relative}
td.after::before{content:"→";position:absolute;left:-.55em;color:var(--muted);font-weight:400}
.k-bad td.after{color:var(--refused)}
ul{list-style:none;margin:0;padding:0}
li+li{margin-top:.25rem}
.who b{font-weight:600}.who .kind,.who .at{color:var(--muted);font-size:12.5px}
.who .at{display:block;font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11.5px}
.why .at{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11.5px;color:var(--policy)}
.why li{color:var(--muted);font-size:13px}
.why ul{margin-top:.3rem}
details{margin-top:.35rem}summary{cursor:pointer;color:var(--manifest);font-size:13px}
details ul{margin-top:.35rem}
.scroll{overflow-x:auto}
.matrix th,.matrix td{padding:.4rem .8rem;white-space:nowrap}
.matrix td,.matrix thead th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.matrix tbody th{color:var(--text);font-size:13px;font-weight:500}
.matrix td.zero{color:var(--muted)}.matrix td.moved{background:var(--hint-ground);font-weight:650}
.matrix td.worse{background:var(--refused-ground);color:var(--refused);font-weight:650}
.matrix td s{color:var(--muted);text-decoration:none;font-weight:400}
.none{padding:1.4rem 1rem;margin:0}
.note{background:var(--hint-ground);color:var(--hint);border-radius:8px;padding:.5rem .8rem;margin:0 0 .8rem;
overflow-wrap:anywhere}
.lost{background:var(--refused-ground);color:var(--refused)}
@media(max-width:820px){main{padding:16px}th,td{padding:.5rem .7rem}.changes col.w{width:30%}
.changes col.b,.changes col.a{width:18%}}
@media(max-width:640px){.changes,.changes tbody,.changes tr,.changes td{display:block;width:100%}
.changes thead{display:none}.changes td,.changes tbody tr:first-child td{border-top:0;padding:.2rem .8rem}
.changes tr{border-top:1px solid var(--line);padding:.5rem 0}
td.after::before{position:static;margin-right:.4em}}
@media print{body{background:none}section{break-inside:avoid}details{display:block}}
"""


def style() -> str:
    """The whole style sheet."""
    return f"{colour_properties()}{_STYLE}"
