"""bench_signature.py BENCH_SIGNATURE FRAMING: ChainOfThought(FederatedLearningSignature) here and in DSPy.

Both render the same messages, byte for byte, and read the same reply of a canned model; they take turns, so that a
machine whose speed drifts slows both. For 0, 4 and 16 examples it prints the time of one call of each (median of the
turns), the ratio, and the memory of each process. Two baselines: the whole call of DSPy's module with a canned model,
which is what a program pays, and its adapter alone (format and parse), which is the least it could pay."""

import json
import logging
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = tempfile.mkdtemp(prefix="esp")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["DSPY_CACHEDIR"] = os.path.join(ROOT, "cache")

import dspy
from dspy.adapters.chat_adapter import ChatAdapter

logging.disable(logging.CRITICAL)
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TURNS, SECONDS = 5, 0.4
FACTS = "2 x Apple M1, 8 GB, 5.3 GB free, 68 GB/s; 1 x Apple M4 Max, 64 GB, 48 GB free, 546 GB/s"


class Canned(dspy.BaseLM):
    """A model that answers at once, always the same."""

    def __init__(self, reply):
        super().__init__("canned")
        self.reply = reply

    def forward(self, prompt=None, messages=None, **kwargs):
        from types import SimpleNamespace as N
        return N(choices=[N(message=N(content=self.reply, tool_calls=None), finish_reason="stop")],
                 usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, model="canned")


def fnv(messages):
    h = 0xcbf29ce484222325
    for m in messages:
        for part in (m["role"], m["content"]):
            for byte in part.encode() + b"\0":
                h = (h ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{h:016x}"


def timed(call, seconds):
    start, calls = time.perf_counter(), 0
    while (now := time.perf_counter()) - start < seconds:
        call()
        calls += 1
    return 1e6 * (now - start) / calls


def main():
    program, framing = sys.argv[1:3]
    espalier = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(program))), "coordinator/cli/espalier")
    subprocess.run([sys.executable, os.path.join(TREE, "deploy/dspy/export_framing.py"), framing], check=True)
    source = subprocess.run([espalier, "signature", "export", "FederatedLearning", "--python"], check=True,
                            capture_output=True, text=True).stdout
    space = {"__name__": "exported"}
    exec(source, space)
    sig = space["FederatedLearningSignature"]
    cot = dspy.ChainOfThought(sig)
    outputs = list(cot.predict.signature.output_fields)
    inputs = {f: f"{f}: {FACTS}" for f in sig.input_fields}
    reply = "".join(f"[[ ## {f} ## ]]\nFor {f}: rank 8 everywhere, batch 1 on the small Macs and 4 on the large.\n\n"
                    for f in outputs) + "[[ ## completed ## ]]\n"
    demo = {**{f: f"{f} of an example: {FACTS}" for f in sig.input_fields},
            **{f: f"{f} of an example: rank 8, batch 1" for f in outputs}}
    dspy.configure(lm=Canned(reply), adapter=ChatAdapter())
    adapter = ChatAdapter()
    paths = {n: os.path.join(ROOT, n) for n in ("state.json", "inputs.json", "reply.txt")}
    with open(paths["inputs.json"], "w", encoding="utf-8") as f:
        json.dump(inputs, f)
    with open(paths["reply.txt"], "w", encoding="utf-8") as f:
        f.write(reply)
    print(f"{'examples':>8}  {'espalier':>10}  {'DSPy call':>10}  {'ratio':>6}  {'adapter only':>12}  {'ratio':>6}  "
          f"{'espalier':>9}  {'DSPy':>8}")
    for examples in (0, 4, 16):
        cot.predict.demos = [dict(demo) for _ in range(examples)]
        cot.save(paths["state.json"])
        ours, call, least = [], [], []
        for _ in range(TURNS):
            out = subprocess.run([program, *paths.values(), framing, str(SECONDS)], check=True, capture_output=True,
                                 text=True).stdout.split()
            ours.append(float(out[1]))
            call.append(timed(lambda: cot(**inputs), SECONDS))
            least.append(timed(lambda: (adapter.format(cot.predict.signature, cot.predict.demos, inputs),
                                        adapter.parse(cot.predict.signature, reply)), SECONDS))
        same = fnv(adapter.format(cot.predict.signature, cot.predict.demos, inputs)) == out[3]
        a, b, c = map(statistics.median, (ours, call, least))
        memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{examples:8}  {a:7.1f} us  {b:7.0f} us  {b / a:6.0f}  {c:9.0f} us  {c / a:6.0f}  "
              f"{int(out[2]) / 1e6:6.1f} MB  {memory / 1e6:5.0f} MB" + ("" if same else "  OTHER MESSAGES"))


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
