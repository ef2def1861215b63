"""What bench/run measured, as a table and as drawings. Pure: a document in, text out."""
import math
import re
import statistics

# (test, unit): what must hold. "ratio": ours to the peer's. "ours": our own number.
GATES = {
    (test + congestion, unit): gate
    for congestion in ("", "-bbr")
    for test in ("tcp1", "tcp4", "reverse", "bidir")
    for unit, gate in (("Gbit/s", ("ratio", ">=", 11)), ("CPU s/GB", ("ratio", "<=", 0.1)))
} | {
    ("udp1390", "delivered kpps"): ("ratio", ">=", 2.5),
    ("udp64", "delivered kpps"): ("ratio", ">=", 3),
    ("ping", "p50 us"): ("ratio", "<=", 0.5),
    ("ping", "p99 us"): ("ratio", "<=", 0.7),
    ("ping-loaded", "p50 us"): ("ratio", "<=", 1),
    ("ping8-loaded", "p50 us"): ("ratio", "<=", 1),
    ("ping-loaded-bbr", "p50 us"): ("ratio", "<=", 1),
    ("ping8-loaded-bbr", "p50 us"): ("ratio", "<=", 1),
    ("share", "of no crypto"): ("ours", ">=", 0.6),
    ("memory", "VmRSS MB"): ("ours", "<=", 24),
    ("handshakes", "CPU us each"): ("ours", "<=", 140),
    ("flood", "of handshakes kept"): ("ours", ">=", 0.8),
    ("fairness", "full speed, times alone"): ("ours", "<=", 2),
    ("peers-10k", "setconf s"): ("ours", "<=", 0.15),
    ("peers-10k", "VmRSS MB more"): ("ours", "<=", 20),
    ("peers-10k", "idle CPU %"): ("ours", "<=", 0.1),
    ("peers-100k", "setconf s"): ("ours", "<=", 2),
    ("peers-100k", "VmRSS MB more"): ("ours", "<=", 160),
}


def more_is_better(unit):
    return unit.endswith(("bit/s", "pps", "answers/s")) or unit.startswith("of ")


def worse_quartile(values, unit):
    """Of the rounds: a quarter of them is worse than this."""
    ordered = sorted(values, reverse=not more_is_better(unit))
    return ordered[len(ordered) // 4]


def percentile(values, share):
    """The smallest of them that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def rows(document):
    """(test, unit, values by program) of everything that was measured."""
    for test, by_program in document["results"].items():
        first = next((v for v in by_program.values() if v), None)
        for unit in first[0] if first else ():
            yield test, unit, {p: [r[unit] for r in v] for p, v in by_program.items() if v}


def ratios(document, series):
    """Ours to the peer's, round by round; nothing where one of them was not measured."""
    ours, peer = document["programs"][0], document["programs"][-1]
    if ours == peer or ours not in series or peer not in series:
        return []
    return [a / b for a, b in zip(series[ours], series[peer]) if b > 0]


def judge(document, test, unit, series):
    gate = GATES.get((test, unit))
    if gate is None:
        return "", ""
    kind, sign, limit = gate
    values = ratios(document, series) if kind == "ratio" else series.get(document["programs"][0])
    if not values:
        return f"{sign} {limit:g}", "not measured"
    worse = worse_quartile(values, unit)
    holds = worse >= limit if sign == ">=" else worse <= limit
    return f"{kind} {sign} {limit:g}", "yes" if holds else "no"


def cell(values):
    if not values:
        return "-"
    return f"{statistics.median(values):.4g} [{min(values):.4g}-{max(values):.4g}]"


def table(document):
    """Markdown for docs/benchmarks.md: medians with extremes, the ratio, and whether gates hold."""
    names = document["programs"]
    heads = ["test", *names, f"ratio to {names[-1]}, median", "worse quartile", "gate", "holds"]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " --- |" * (len(heads) - 1)]
    for test, unit, series in rows(document):
        compared = ratios(document, series)
        cells = [cell(series.get(name)) for name in names]
        cells += ([f"{statistics.median(compared):.3g}", f"{worse_quartile(compared, unit):.3g}"]
                  if compared else ["-", "-"])
        cells += judge(document, test, unit, series)
        lines.append(f"| {test}, {unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


STYLE = ("<style>text{font:13px sans-serif;fill:#222}.small{font-size:11px;fill:#666}"
         ".grid{stroke:#ddd}.ours{fill:#2a6f97;stroke:#2a6f97}.peer{fill:#c9a227;stroke:#c9a227}"
         ".gate{stroke:#b00020;stroke-width:2}polyline{fill:none!important;stroke-width:2}</style>")


def svg(width, height, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
                      STYLE, f'<rect width="{width}" height="{height}" fill="#fff"/>', *parts,
                      "</svg>"]) + "\n"


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" class="{kind}">{words}</text>'


def draw_ratios(document):
    """One bar a goal: how many times better than the peer, on a logarithmic scale."""
    bars = []
    for test, unit, series in rows(document):
        gate = GATES.get((test, unit))
        better = [r if more_is_better(unit) else 1 / r
                  for r in ratios(document, series) if r > 0]
        if better and gate:
            limit = gate[2] if gate[0] == "ratio" else None
            if limit and gate[1] == "<=":
                limit = 1 / limit
            bars.append((f"{test}, {unit}", statistics.median(better), limit))
    if not bars:
        return None
    left, width, step = 230, 830, 26
    top = math.log10(max(max(value, limit or 1) for _, value, limit in bars) * 1.3)
    bottom = math.log10(min(0.5, *(value for _, value, _ in bars)))

    def at(value):
        return left + (math.log10(value) - bottom) / (top - bottom) * (width - left - 70)

    height = 60 + step * len(bars)
    parts = [text(10, 22, f"Times better than {document['programs'][-1]}, median of the rounds"
                          " (red: the gate)")]
    for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if bottom <= math.log10(mark) <= top:
            parts.append(f'<path class="grid" d="M{at(mark):.0f} 34V{height - 22}"/>')
            parts.append(text(at(mark), height - 6, f"{mark:g}", "middle", "small"))
    for i, (name, value, limit) in enumerate(bars):
        y = 40 + step * i
        start, end = sorted((at(1), at(value)))
        parts += [text(left - 8, y + 13, name, "end"),
                  f'<rect class="ours" x="{start:.0f}" y="{y}" width="{end - start:.0f}" '
                  f'height="16"/>', text(max(end, at(1)) + 5, y + 13, f"{value:.3g}")]
        if limit:
            parts.append(f'<path class="gate" d="M{at(limit):.0f} {y - 3}v22"/>')
    return svg(width, height, parts)


def round_step(most):
    """The distance of about five round marks from 0 to `most`: 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(most / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= most / 5 * 0.999)


def draw_sizes(document):
    """UDP throughput against packet size, a line a program."""
    lines = {}
    for test, unit, series in rows(document):
        size = re.match(r"(\d+) B Gbit/s", unit)
        if test == "sizes" and size:
            for program, values in series.items():
                lines.setdefault(program, []).append((int(size[1]), statistics.median(values)))
    if not lines:
        return None
    left, right, top, bottom = 70, 640, 50, 330
    most_bytes = max(x for points in lines.values() for x, _ in points)
    fastest = max(y for points in lines.values() for _, y in points) or 1
    step = round_step(fastest)
    marks = math.ceil(fastest / step)
    most_rate = marks * step

    def at(x, y):
        return (left + x / most_bytes * (right - left), bottom - y / most_rate * (bottom - top))

    parts = [text(10, 24, "UDP delivered under flood, Gbit/s, against payload size in bytes")]
    for i in range(marks + 1):
        rate = step * i
        y = at(0, rate)[1]
        parts += [f'<path class="grid" d="M{left} {y:.0f}H{right}"/>',
                  text(left - 8, y + 4, f"{rate:g}", "end", "small")]
    for x, _ in next(iter(lines.values())):
        parts.append(text(at(x, 0)[0], bottom + 18, str(x), "middle", "small"))
    for i, (program, points) in enumerate(lines.items()):
        kind = "ours" if i == 0 else "peer"
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in (at(*p) for p in points))
        parts += [f'<polyline class="{kind}" points="{path}"/>',
                  f'<rect class="{kind}" x="{left + 20}" y="{top + 22 * i}" width="14" height="4"/>',
                  text(left + 42, top + 8 + 22 * i, program)]
    return svg(right + 40, bottom + 36, parts)


def drawings(document):
    """File names under docs/, with what belongs into them."""
    drawn = {"benchmarks-ratios.svg": draw_ratios(document),
             "benchmarks-sizes.svg": draw_sizes(document)}
    return {name: content for name, content in drawn.items() if content}
