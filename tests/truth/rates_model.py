"""The formulas of coordinator/planner/inference.h in Python, for fitting their constants.

The program is what counts: test_truth.py holds these to it, row by row."""
import csv
import json
import math
import os
import re

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
ROWS = os.path.join(TREE, "tests/data/throughput.csv")
CHIPS = os.path.join(TREE, "coordinator/planner/chips.csv")
CONSTANTS = os.path.join(TREE, "coordinator/planner/inference.csv")

# bits of blocks, embedding, output: coordinator/planner/weight_format.c
GGUF = {"f16": (16, 16, 16), "bf16": (16, 16, 16), "q8_0": (8.5, 8.5, 8.5), "q4_0": (4.5, 4.5, 6.5625),
        "q4_k_m": (4.798, 4.5, 6.5625), "mxfp4": (4.25, 8.5, 8.5)}
MLX = {"bf16": 16, "f16": 16, "q8g64": 8.5, "q4g64": 4.5, "q4g128": 4.25, "mxfp4": 4.25}


def rows():
    with open(ROWS, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


class Shape:
    """Counts of a model, from its config.json."""

    def __init__(self, name):
        with open(os.path.join(TREE, "tests/data/configs", name + ".json"), encoding="utf-8") as f:
            c = json.load(f)
        outer, c = c, c.get("text_config", c)
        kind = c["model_type"]
        self.kind, self.layers, h = kind, c["num_hidden_layers"], c["hidden_size"]
        heads = c.get("num_attention_heads", 8)
        head = c.get("head_dim") or {"gemma2": 256, "gemma3_text": 256, "qwen3": 128}.get(kind, h // heads)
        kv = c.get("num_key_value_heads", 4 if kind.startswith("gemma") else heads) * head
        vocab = c.get("vocab_size", 262208)
        tied = c.get("tie_word_embeddings", outer.get("tie_word_embeddings", kind.startswith(("gemma", "smollm3"))))
        self.q, self.kv, self.output, self.embedding = heads * head, kv, vocab * h, 0 if tied else vocab * h
        block = h * (self.q + 2 * kv) + self.q * h
        self.experts = c.get("num_local_experts") or c.get("num_experts") or 0
        self.share = 1.0
        self.expert_parameters = 0
        if self.experts:
            each = 3 * h * c.get("moe_intermediate_size", c["intermediate_size"])
            self.share = c["num_experts_per_tok"] / self.experts
            self.expert_parameters = self.layers * self.experts * each
            block += h * self.experts
        else:
            block += 3 * h * c["intermediate_size"]
        self.around = self.layers * block
        self.body = self.around + self.expert_parameters * self.share  # of the blocks, that a token goes through


def weight_bytes(row, shape, share):
    """Of the weights read, with this share of the experts."""
    name = row["format"]
    if row["engine"] == "mlx":
        block = around = output = MLX[name]
        if name == "mxfp4":
            around = output = 8.5
    else:
        block, _, output = GGUF[name]
        around = 8.5 if name == "mxfp4" else block
    if not shape.experts:
        around = block
    return (shape.expert_parameters * share * block + shape.around * around + shape.output * output) / 8


def chip_table():
    out = {}
    with open(CHIPS, encoding="utf-8", newline="") as f:
        for line in f.read().splitlines()[1:]:
            chip, cores, bandwidth, memory, flops = line.split(",")[:5]
            out.setdefault(chip, []).append((int(cores) if cores else 0, float(bandwidth or 0) * 1e9,
                                             float(flops or 0) * 1e12, [int(m) for m in memory.split(";") if m]))
    return out


def name_of(chip):
    m = re.match(r"Apple M(\d+)(?: (.*))?$", chip)
    return (int(m.group(1)), m.group(2) or "") if m else (4, "")


def machine(table, row):
    """F, B as chip_rates.c finds them."""
    chip = row["chip"]
    cores = int(row["gpu_cores"]) if row["gpu_cores"] else 0
    memory = float(row["memory_gb"]) if row["memory_gb"] else 0
    mine = table[chip]
    if not cores:
        mine_memory = [r[0] for r in mine if r[0] and (not memory or not r[3] or
                                                       min(r[3]) - .5 <= memory <= max(r[3]) + .5)]
        cores = min(mine_memory or [r[0] for r in mine if r[0]])

    def column(i, scale):
        exact = [r[i] for r in mine if r[i] and cores and r[0] == cores and
                 (not memory or not r[3] or min(r[3]) - .5 <= memory <= max(r[3]) + .5)]
        other = [r[i] * (cores / r[0] if scale and cores and r[0] else 1) for r in mine if r[i]]
        return min(exact) if exact else min(other) if other else 0
    flops = column(2, True)
    generation = name_of(chip)[0]
    while not flops and generation:
        per = [r[2] / r[0] for c in table for r in table[c] if name_of(c)[0] == generation and r[2] and r[0] and
               c.startswith("Apple M")]
        flops = min(per) * cores if per else 0
        generation -= 1
    return flops, column(1, False)


def prepare(use=("fit",)):
    """Rows with what the formulas need of them."""
    table, shapes, out = chip_table(), {}, []
    for row in rows():
        if row["use"] not in use or row["kind"] not in ("prefill", "decode"):
            continue
        shape = shapes.setdefault(row["model"], Shape(row["model"]))
        r = dict(row, shape=shape, published=float(row["value"]))
        r["F"], r["B"] = machine(table, row)
        r["generation"], r["tier"] = name_of(row["chip"])
        r["quantised"] = row["format"] not in ("f16", "bf16")
        r["k"] = "_k" in row["format"]
        if row["kind"] == "prefill":
            n = r["n"] = int(row["prompt"])
            r["bytes"] = weight_bytes(row, shape, 1 - (1 - shape.share) ** n)
            r["attention"] = 2 * shape.layers * shape.q * n
        else:
            r["bytes"] = weight_bytes(row, shape, shape.share)
            r["cache"] = 2 * shape.layers * shape.kv * 2 * int(row["context"])
        out.append(r)
    return out


def predict(r, c):
    """tokens/s, by the constants c[engine][name]."""
    c = c[r["engine"]]
    shape, ultra = r["shape"], r["tier"] == "Ultra"
    reading = (c["bandwidth_ultra"] if ultra else c["bandwidth"]) * r["B"]
    if r["kind"] == "prefill":
        share = c["prefill_m5" if r["generation"] >= 5 else "prefill_m3" if r["generation"] >= 3 else "prefill_m1"]
        if r["quantised"]:
            share *= c["prefill_k_quant" if r["k"] else "prefill_quantised"]
        if shape.experts:
            share *= c["prefill_experts"]
        if ultra:
            share *= c["prefill_ultra"]
        flop = r["n"] * (2 * shape.body + c["prefill_attention"] * r["attention"])
        return r["n"] / (c["prefill_start"] + flop / (share * r["F"]) + r["bytes"] / reading)
    seconds = (r["bytes"] + c["cache_factor"] * r["cache"]) / reading
    seconds += c["layer_seconds"] * shape.layers * (c["layer_experts"] if shape.experts else 1)
    if r["quantised"] and r["generation"] <= c["dequantise_until"]:
        seconds += 2 * (shape.body + shape.output) * c["dequantise"] * (c["dequantise_k"] if r["k"] else 1) / r["F"]
    return 1 / seconds


def constants():
    out = {}
    with open(CONSTANTS, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            out.setdefault(row["engine"], {})[row["constant"]] = float(row["value"])
    return out


def errors(rs, c):
    """Sorted |predicted / published - 1|."""
    return sorted(abs(predict(r, c) / r["published"] - 1) for r in rs)


def loss(rs, c):
    """Mean of |log ratio|; beyond a factor of e^0.5 a row pulls less: it is likelier wrong itself."""
    total = 0.0
    for r in rs:
        a = abs(math.log(predict(r, c) / r["published"]))
        total += a if a < 0.5 else 0.5 + 0.3 * (a - 0.5)
    return total / len(rs)
