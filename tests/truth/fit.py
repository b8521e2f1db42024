#!/usr/bin/env python3
"""Fit the constants of coordinator/planner/inference.csv to the published rows of tests/data/throughput.csv.

    tests/truth/fit.py             print the file anew, and how well it does
    tests/truth/fit.py --held-out  also: each chip, then each model, predicted by constants fitted without it

No constant belongs to a row, a model or a chip: they belong to an engine, some to a group of chip generations.
Coordinate search on the mean of |log(predicted / published)|; no package is needed."""
import argparse
import math
import re
import sys

import rates_model as rm

# constant: unit, what it was fitted on; those with "set" are chosen, not fitted
TEXT = {
    "prefill_m1": ("share of F", "prefill, M1 and M2"),
    "prefill_m3": ("share of F", "prefill, M3 and M4"),
    "prefill_m5": ("share of F", "prefill, M5 and later"),
    "prefill_quantised": ("factor", "prefill, formats below 16 bits"),
    "prefill_k_quant": ("factor", "prefill, q4_k_m"),
    "prefill_experts": ("factor", "prefill, models with experts"),
    "prefill_ultra": ("factor", "prefill, Ultra chips: two dies as one"),
    "prefill_attention": ("factor", "prefill, prompts of all lengths"),
    "prefill_start": ("s", "prefill, short prompts"),
    "bandwidth": ("share of B", "decode"),
    "bandwidth_ultra": ("share of B", "decode, Ultra chips"),
    "layer_seconds": ("s", "decode, small models"),
    "layer_experts": ("factor", "decode, models with experts"),
    "dequantise": ("FLOP per FLOP", "decode, formats below 16 bits"),
    "dequantise_k": ("factor", "decode, q4_k_m"),
    "dequantise_until": ("generation", "set: from M3 on no row shows it with llama.cpp; MLX shows it throughout"),
    "cache_factor": ("factor", "set to at most 4: decode, long contexts, builds without flash attention"),
    "prefill_error": ("share", "median error held out by model or chip, the larger"),
    "decode_error": ("share", "median error held out by model or chip, the larger"),
}
FIXED = {
    "mlx": {"prefill_k_quant": 1.0, "prefill_ultra": 1.0, "dequantise_k": 1.0, "dequantise_until": 99},
    "llama.cpp": {"dequantise_until": 2, "cache_factor": 4.0},
}
START = {"prefill_m1": .72, "prefill_m3": .7, "prefill_m5": 1.7, "prefill_quantised": .92, "prefill_k_quant": .83,
         "prefill_experts": .9, "prefill_ultra": .95, "prefill_attention": 1.3, "prefill_start": .01, "bandwidth": .9,
         "bandwidth_ultra": .8, "layer_seconds": 1e-4, "layer_experts": 1.5, "dequantise": 1.0, "dequantise_k": 2.0,
         "dequantise_until": 99, "cache_factor": 1.3, "prefill_error": 0.0, "decode_error": 0.0}
# MLX has published prompt rates of M4 and M5 only: one constant for all before M5.
SHARED = {"mlx": {"prefill_m1": "prefill_m3"}}
MOST = {"bandwidth": 1.0, "bandwidth_ultra": 1.0}  # nobody reads faster than the memory
DECODE = ("bandwidth", "bandwidth_ultra", "layer_seconds", "layer_experts", "dequantise", "dequantise_k", "cache_factor")


def start(engine):
    return {**START, **FIXED[engine]}


def free(engine, kind):
    names = DECODE if kind == "decode" else [n for n in START if n.startswith("prefill_") and not n.endswith("error")]
    return [n for n in names if n not in FIXED[engine] and n not in SHARED.get(engine, {})]


def search(rs, c, engine, names, rounds=60):
    c = {e: dict(v) for e, v in c.items()}
    step, best = {n: 0.2 for n in names}, rm.loss(rs, c)
    for _ in range(rounds):
        for n in names:
            for f in (1 + step[n], 1 / (1 + step[n])):
                was = c[engine][n]
                if was * f > MOST.get(n, math.inf):
                    continue
                c[engine][n] = was * f
                for a, b in SHARED.get(engine, {}).items():
                    c[engine][a] = c[engine][b]
                now = rm.loss(rs, c)
                if now < best - 1e-9:
                    best = now
                    break
                c[engine][n] = was
                for a, b in SHARED.get(engine, {}).items():
                    c[engine][a] = c[engine][b]
            else:
                step[n] *= 0.6
        if max(step.values()) < 0.004:
            break
    return c


def fit(rs, c=None):
    c = c or {e: start(e) for e in FIXED}
    for engine in FIXED:
        for kind in ("decode", "prefill"):  # a prompt reads the weights too: bandwidth first
            some = [r for r in rs if r["engine"] == engine and r["kind"] == kind]
            if some:
                c = search(some, c, engine, free(engine, kind))
    return c


def groups(rs):
    for engine in FIXED:
        for kind in ("prefill", "decode"):
            yield engine, kind, [r for r in rs if r["engine"] == engine and r["kind"] == kind]


def line(name, e):
    return f"{name:34} rows {len(e):4}  median {e[len(e) // 2]:6.1%}  nine in ten {e[len(e) * 9 // 10]:6.1%}  worst {e[-1]:6.1%}"


def held_out(rs, c, by):
    """(engine, kind) -> sorted errors of rows predicted by constants that never saw their chip or model."""
    out = {}
    for value in sorted({r[by] for r in rs}):
        without = fit([r for r in rs if r[by] != value], c)
        for r in rs:
            if r[by] == value:
                out.setdefault((r["engine"], r["kind"]), []).append(
                    abs(rm.predict(r, without) / r["published"] - 1))
    return {k: sorted(v) for k, v in out.items()}


def rounded(c):
    return {e: {n: float(f"{v:.3g}") for n, v in d.items()} for e, d in c.items()}


def print_csv(c, rs, out=sys.stdout):
    counts = {}
    for r in rs:
        counts[r["engine"], r["kind"]] = counts.get((r["engine"], r["kind"]), 0) + 1
    print("engine,constant,value,unit,fitted_on", file=out)
    for engine in ("mlx", "llama.cpp"):
        for n, (unit, text) in TEXT.items():
            kind = "prefill" if n.startswith("prefill") else "decode"
            if n in FIXED[engine] and not text.startswith("set"):
                text = "set: no row tells"
            if n in SHARED.get(engine, {}):
                text = "no row: as M3 and M4"
            if not text.startswith(("set", "no row")):
                text += f" ({counts.get((engine, kind), 0)} rows of {engine} {kind} in tests/data/throughput.csv)"
            print(f"{engine},{n},{c[engine][n]:.3g},{unit},{re.sub(',', ';', text)}", file=out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--held-out", action="store_true")
    asked = p.parse_args()
    rs = rm.prepare()
    c = rounded(fit(rs))
    if asked.held_out:
        worst = {}
        for by in ("chip", "model"):
            for (engine, kind), e in held_out(rs, c, by).items():
                print(line(f"held out by {by}: {engine} {kind}", e), file=sys.stderr)
                worst[engine, kind] = max(worst.get((engine, kind), 0), e[len(e) // 2])
        for (engine, kind), e in worst.items():
            c[engine][kind + "_error"] = float(f"{e:.2g}")
    for engine, kind, some in groups(rs):
        print(line(f"fitted: {engine} {kind}", rm.errors(some, c)), file=sys.stderr)
    print_csv(c, rs)


if __name__ == "__main__":
    main()
