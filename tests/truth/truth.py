#!/usr/bin/env python3
"""What `espalier predict` says beside what others published: tests/truth/truth.py [--all]

Every row of tests/data/throughput.csv that can be compared is asked of the program itself, with a machine file of
chip, GPU cores and memory. Printed: predicted, published, ratio (the worst rows, or all), median and worst error per
engine and kind, the same for each chip and each model predicted by constants that were fitted without it, and what
was skipped, by reason. Fails where an aim does not hold: rates within 20 % in the median and 40 % at worst, memory
never under by more than 3 %."""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import fit
import rates_model as rm

BUILD = os.environ.get("ESPALIER_BUILD", os.path.join(rm.TREE, "build/debug"))
PROGRAM = os.path.join(BUILD, "coordinator/cli/espalier")
MEDIAN_AIM, WORST_AIM, MEMORY_AIM = 0.20, 0.40, 0.97
GIB = 2 ** 30


def ask(row, folder, number):
    machine = {"chip": row["chip"]}
    if row["gpu_cores"]:
        machine["gpu_cores"] = int(row["gpu_cores"])
    if row["memory_gb"]:
        machine["memory_gb"] = int(row["memory_gb"])
    path = os.path.join(folder, f"{number}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(machine, f)
    command = [PROGRAM, "predict", "--json", "--machine", path, "--engine", row["engine"], "--format", row["format"],
               "--model", os.path.join(rm.TREE, "tests/data/configs", row["model"] + ".json")]
    for name in ("prompt", "context"):
        if row[name]:
            command += ["--" + name, row[name]]
    if row["kind"].startswith("train"):
        command += ["--method", "lora", "--targets", "all", "--rank", "8", "--layers", "36", "--seq", row["prompt"],
                    "--checkpoint"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"truth: {' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def compare(row, answer):
    """(predicted, published) in tokens/s or bytes."""
    value = float(row["value"])
    if row["kind"] == "prefill":
        return answer["prefill_tokens_per_s"], value
    if row["kind"] == "decode":
        return answer["decode_tokens_per_s"], value
    if row["kind"] == "train":
        return answer["train_tokens_per_s"], value
    if row["kind"] == "memory":
        return answer["memory_bytes"], value * 1e9
    # peak above the resident weights: what training adds, by the formula, without its margins
    margin = 1.02 * answer["weights_bytes"] + 0.5e9
    return answer["training_memory_bytes"] - margin, value * GIB


def label(row):
    cores = f" {row['gpu_cores']}c" if row["gpu_cores"] else ""
    length = row["prompt"] if row["kind"] != "decode" else row["context"]
    return (f"{row['chip'][6:] + cores:15} {row['engine']:9} {row['kind']:12} {row['model']:18} {row['format']:7}"
            f" {length:>6}")


def show(pairs, all_rows, most=8):
    pairs = sorted(pairs, key=lambda p: -abs(p[1] / p[2] - 1))
    for row, predicted, published in pairs if all_rows else pairs[:most]:
        scale, unit = (1e9, "GB") if "memory" in row["kind"] else (1, "tok/s")
        print(f"  {label(row)} {predicted / scale:9.5g} {published / scale:9.5g} {unit:5} {predicted / published:6.2f}")
    if not all_rows and len(pairs) > most:
        print(f"  ... and {len(pairs) - most} nearer ones (--all shows them)")


def summary(name, pairs):
    e = sorted(abs(p / q - 1) for _, p, q in pairs)
    print(fit.line(name, e))
    return e


def per_chip(pairs):
    chips = collections.defaultdict(list)
    for row, p, q in pairs:
        chips[row["chip"]].append(abs(p / q - 1))
    text = [f"{c[6:]} {sorted(e)[len(e) // 2]:.0%}/{max(e):.0%} of {len(e)}" for c, e in sorted(chips.items())]
    print("  per chip, median/worst: " + ", ".join(text))


def agree_with_python(used):
    """The formulas that the constants are fitted with are the program's own."""
    constants = rm.constants()
    prepared = {r["kind"] + r["line"] + r["value"]: r for r in rm.prepare(("fit", "doubtful"))}
    for row, predicted, _ in used:
        r = prepared.get(row["kind"] + row["line"] + row["value"])
        if r and abs(rm.predict(r, constants) / predicted - 1) > 0.02:  # norms and biases are not in the Python
            return f"{label(row)}: the program says {predicted:.6g}, rates_model.py {rm.predict(r, constants):.6g}"
    return None


def skipped(rows):
    reasons = collections.Counter((r["use"], r["reason"]) for r in rows if r["use"] == "skip")
    print(f"\nnot compared: {sum(reasons.values())} of {len(rows)} rows")
    for (_, reason), n in reasons.most_common():
        print(f"  {n:4}  {reason}")


def held_out():
    rs = rm.prepare()
    c = rm.constants()
    print("\nheld out: each chip, then each model, predicted by constants fitted without it")
    for by in ("chip", "model"):
        for (engine, kind), e in sorted(fit.held_out(rs, c, by).items()):
            print("  " + fit.line(f"without its {by}: {engine} {kind}", e))


def main():
    all_rows = "--all" in sys.argv[1:]
    rows = rm.rows()
    used, failures = [], []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        wanted = [r for r in rows if r["use"] != "skip"]
        for row, answer in zip(wanted, pool.map(lambda x: ask(x[1], folder, x[0]), enumerate(wanted))):
            used.append((row, *compare(row, answer)))
    for engine in ("llama.cpp", "mlx"):
        for kind in ("prefill", "decode"):
            some = [p for p in used if p[0]["use"] == "fit" and p[0]["engine"] == engine and p[0]["kind"] == kind]
            print(f"\n{engine} {kind}: predicted, published, ratio")
            show(some, all_rows)
            e = summary("  " + engine + " " + kind, some)
            per_chip(some)
            if e[len(e) // 2] > MEDIAN_AIM or e[-1] > WORST_AIM:
                failures.append(f"{engine} {kind}: median {e[len(e) // 2]:.0%}, worst {e[-1]:.0%}")
    print("\ndoubtful rows, in no fit and no sum:")
    doubtful = [p for p in used if p[0]["use"] == "doubtful"]
    show(doubtful, all_rows)
    for reason, n in collections.Counter(p[0]["reason"] for p in doubtful).items():
        print(f"  {n} of them: {reason}")
    for kind, text in (("train", "LoRA rates"), ("train_memory", "LoRA peaks above the weights"),
                       ("memory", "peaks of answering")):
        some = [p for p in used if p[0]["kind"] == kind]
        print(f"\n{text}: predicted, published, ratio")
        show(some, True)
        e = summary("  " + text, some)
        low = min(p / q for _, p, q in some)
        if "memory" in kind and low < MEMORY_AIM:
            failures.append(f"{text}: {low:.3f} of what was measured")
        if kind == "train" and (e[len(e) // 2] > MEDIAN_AIM or e[-1] > WORST_AIM):
            failures.append(f"{text}: median {e[len(e) // 2]:.0%}, worst {e[-1]:.0%}")
    skipped(rows)
    held_out()
    differs = agree_with_python(used)
    if differs:
        failures.append(differs)
    for f in failures:
        print("truth: " + f, file=sys.stderr)
    print(f"\ntruth: {len(used)} rows compared, {'every aim holds' if not failures else 'an aim does not hold'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
