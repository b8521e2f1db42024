"""Beside an installed DSPy: the same messages, the same reading of replies, the same saved programs.

DSPy's own words come from it alone: deploy/dspy/export_framing.py derives them here, from the installed one."""

import hashlib
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = tempfile.mkdtemp(prefix="esp")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it tries to download it
os.environ["DSPY_CACHEDIR"] = os.path.join(ROOT, "cache")

import dspy
from dspy.adapters.chat_adapter import ChatAdapter
from dspy.adapters.json_adapter import JSONAdapter
from dspy.utils import DummyLM

import harness as h

logging.disable(logging.CRITICAL)
FRAMING = os.path.join(ROOT, "framing.json")
REPLIES = os.path.join(h.TREE, "tests/data/replies")
TYPES = ('question: str, k: int -> score: float, ok: bool, tags: list[str], label: Literal["a", "b"], '
         "note: Optional[str]")

# Of the messages of DSPy 3.3.1 and 3.4.1, every input `val_` and its name: bytes, and the first 16 digits of SHA-256.
# Predict's system and user, ChainOfThought's system and user.
HASHES = {
    "AppleSiliconOptimizedSignature": "877 ee6f4f100911e434 313 a81d9553b961ac0a 935 0bf9bfe04903e927 343 7407a5cb2d3c4b71",
    "LoRAOptimizationSignature": "1997 b0a9b9ede56d04a2 688 38ee7071fa5445cb 2055 6961ed816c1c7b6a 718 242d50bcc6c22138",
    "DiffusionOptimizationSignature":
        "1721 50e729d8591b9a33 610 5b3c7da1ddfadca4 1779 9b8f541dac1b018a 640 43a07d50374ccc20",
    "FederatedLearningSignature": "1902 41ce9ddd389930c0 681 cca5d28466218fbc 1960 4e1de4eafa09e1fd 711 f0dc87af73200908",
    "MLPipelineOptimizationSignature":
        "1397 8fc0ccd9d4ada529 511 71920cfd6f4baa47 1455 0c512ca6715b8879 541 6b419cb7d96ba55e",
    "NlpOptimizationSignature": "1190 f498e71cfadd6edc 451 9ebc9cd5b30acffa 1248 892739ace29d3936 481 4804497074cbd085",
}


def espalier(*args, check=True, stdin=None):
    return h.run(h.program("espalier"), *args, check=check, input=stdin)


def shown(name, *options):
    return json.loads(espalier("--json", "signature", "show", name, *options).stdout)


def rendered(name, inputs, *options):
    """The messages that we would send, as DSPy has them."""
    out = json.loads(espalier("--json", "signature", "render", name, "--inputs", "-", "--framing", FRAMING, *options,
                              stdin=json.dumps(inputs)).stdout)
    return [{"role": m["role"], "content": m["content"]} for m in out["messages"]], out.get("response_format")


def exported(name, *options):
    """The class that we write, in the DSPy that is here."""
    source = espalier("signature", "export", name, "--python", *options).stdout
    space = {"__name__": "exported"}
    exec(compile(source, name, "exec"), space)
    return space[shown(name, *options)["signature"]["name"]]


def measure(text):
    data = text.encode()
    return f"{len(data)} {hashlib.sha256(data).hexdigest()[:16]}"


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def alike(a, b):
    """Same values of the same types: 1 is not 1.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(ROOT, "own")
        espalier("signature", "create", "--domain", "nlp", "--field", "extra_note=Extra note", "--save", cls.folder)

    def inputs_of(self, name, *options):
        return {f["name"]: "val_" + f["name"] for f in shown(name, *options)["signature"]["fields"]
                if f["direction"] == "input"}

    def test_the_mission_s_messages_are_dspy_s_to_the_byte(self):
        for name, wanted in HASHES.items():
            more = ["--folder", self.folder] if name.startswith("Nlp") else []
            found = []
            for module in ("predict", "chain_of_thought"):
                messages, _ = rendered(name, self.inputs_of(name, *more), "--module", module, *more)
                self.assertEqual([m["role"] for m in messages], ["system", "user"])
                found += [measure(m["content"]) for m in messages]
            self.assertEqual(" ".join(found), wanted, name)

    def test_demos_stand_where_dspy_puts_them(self):
        name = "FederatedLearningSignature"
        sig = exported(name)
        cot = dspy.ChainOfThought(sig)
        cot.predict.demos = [{f: f.upper() for f in cot.predict.signature.fields},
                             {"hardware_context": "M1", "reasoning": "r", "client_optimization": "c"}]
        state = os.path.join(ROOT, "demos.json")
        cot.save(state)
        wanted = {"chat": "7e081a775f22f3e9b2341f8eddf5be5d31b319e5f9767717da1d9dd52d87a171",
                  "json": "de36e7091007969300c779b93ddaa656ed3bff11e4914b7434ad3c7f4e26e60f"}
        for adapter, digest in wanted.items():
            messages, _ = rendered(name, self.inputs_of(name), "--module", "chain_of_thought", "--adapter", adapter,
                                   "--state", state)
            self.assertEqual(len(messages), 6)
            text = "".join(m["role"] + "\n" + m["content"] + "\n" for m in messages)
            self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), digest, adapter)

    def test_types_are_told_as_dspy_tells_them(self):
        line = os.path.join(ROOT, "types")
        espalier("signature", "create", TYPES, "--as", "Types", "--instructions", "Grade it.\n\nBe terse.", "--no-context",
                 "a test", "--save", line)
        inputs = {"question": "Q?\nline2", "k": 3}
        for adapter, wanted in (("chat", "1055 95b00b9ff5da93f3 548 7195293738a3a2c3"),
                                ("json", "1132 fb18746e88fe9528 418 032b0d871b15a719")):
            messages, form = rendered("Types", inputs, "--folder", line, "--adapter", adapter)
            self.assertEqual(" ".join(measure(m["content"]) for m in messages), wanted)
        schema = json.loads(form)["json_schema"]["schema"]
        compact = json.dumps(schema, sort_keys=True, separators=(",", ":"))
        self.assertEqual(hashlib.sha256(compact.encode()).hexdigest(),
                         "376609a61a04c27ec29d9a758ea8ea08e7c803156255a93b694a70ae397d3e25")

    def test_every_built_in_signature_renders_as_the_class_that_we_write_for_it(self):
        for found in json.loads(espalier("--json", "signature", "list").stdout)["signatures"]:
            forms = [[]] + ([["--typed"]] if "typed" in found else [])
            for form in forms:
                sig = exported(found["name"], *form)
                for adapter, ours in ((ChatAdapter(), "chat"), (JSONAdapter(), "json")):
                    for cls, module in ((sig, "predict"), (dspy.ChainOfThought(sig).predict.signature, "chain_of_thought")):
                        inputs = {f: f"val {f}" for f in sig.input_fields}
                        messages, _ = rendered(found["name"], inputs, "--module", module, "--adapter", ours, *form)
                        self.assertEqual(messages, adapter.format(cls, [], inputs),
                                         f"{found['name']} {form} {ours} {module}")


class Replies(unittest.TestCase):
    def test_replies_are_read_alike_but_where_it_is_intended(self):
        rows = h.read_lines(os.path.join(REPLIES, "replies.jsonl"))
        made = subprocess.run([sys.executable, os.path.join(REPLIES, "make_replies.py")], capture_output=True, text=True,
                              check=True, timeout=60).stdout
        self.assertEqual([json.loads(line) for line in made.splitlines()], rows, "make_replies.py writes other replies")
        reader = subprocess.run([os.path.join(h.BUILD, "tests/interop/reply_reader")], input=made, capture_output=True,
                                text=True, check=True, timeout=h.PATIENCE)
        ours = {r["id"]: r for r in map(json.loads, reader.stdout.splitlines())}
        with open(os.path.join(REPLIES, "differences.json"), encoding="utf-8") as f:
            intended = {i: group for group, d in json.load(f).items() for i in d["replies"]}
        signatures, counts = {}, {"taken alike": 0, "refused alike": 0, "intended": 0}
        for row in rows:
            sig = signatures.setdefault(row["signature"], dspy.Signature(row["signature"]))
            adapter = ChatAdapter() if row["adapter"] == "chat" else JSONAdapter()
            try:
                theirs = plain(adapter.parse(sig, row["reply"]))
            except Exception as e:
                self.assertIn("ParseError", type(e).__name__)
                theirs = None
            same = alike(theirs, ours[row["id"]]["values"])
            what = f"{row['id']} {row['reply']!r}: DSPy {theirs}, we {ours[row['id']]}"
            self.assertEqual(same, row["id"] not in intended,
                             what + ("" if same else " (not in differences.json)"))
            counts["intended" if not same else "refused alike" if theirs is None else "taken alike"] += 1
        self.assertGreaterEqual(len(rows), 200)
        print("replies:", ", ".join(f"{n} {what}" for what, n in counts.items()))


class Nested(dspy.Module):
    def __init__(self, lora, federated):
        super().__init__()
        self.optimize = dspy.ChainOfThought(lora)
        self.steps = [dspy.Predict(federated), dspy.ChainOfThought(federated)]


class Programs(unittest.TestCase):
    def fresh(self):
        return Nested(exported("LoRAOptimization"), exported("FederatedLearning"))

    def test_a_program_goes_from_dspy_to_us_and_back_unchanged(self):
        program = self.fresh()
        p = program.optimize.predict
        p.signature = p.signature.with_instructions("Words that an optimiser found.\n\n  Indented.").with_updated_fields(
            "lora_config", desc="rank, alpha and layers, nothing else")
        p.demos = [dspy.Example(augmented=True, base_model_info="q\u00fcen \u732b", reasoning="r\n\n  s", lora_config="{\"rank\": 8.0}"),
                   {"hardware_context": "M1", "lora_config": None}, {"hardware_context": 1.0, "training_strategy": [1, 2.50, "x"]}]
        program.steps[1].predict.demos = [{f: f for f in program.steps[1].predict.signature.fields}]
        before, after = os.path.join(ROOT, "before.json"), os.path.join(ROOT, "after.json")
        program.save(before)
        espalier("signature", "export", "optimize.predict=LoRAOptimization", "steps[0]=FederatedLearning",
                 "steps[1].predict=FederatedLearning", "--from", before, "--state", after, "--as-text")
        again = self.fresh()
        again.load(after)
        for (path, a), (_, b) in zip(program.named_predictors(), again.named_predictors()):
            self.assertEqual(a.signature.instructions, b.signature.instructions, path)
            for name, field in a.signature.fields.items():
                self.assertEqual(field.json_schema_extra, b.signature.fields[name].json_schema_extra, f"{path} {name}")
            self.assertEqual([dict(d) for d in map(self.kept, a.demos)], [dict(d) for d in b.demos], path)

    @staticmethod
    def kept(demo):
        """What of a demo is the signature's: marks and columns are left out."""
        return {k: v for k, v in dict(demo).items() if k != "augmented"}

    def test_every_saved_program_of_ours_loads(self):
        for found in json.loads(espalier("--json", "signature", "list").stdout)["signatures"]:
            path = os.path.join(ROOT, found["name"] + ".json")
            espalier("signature", "export", found["name"], "--module", "chain_of_thought", "--state", path)
            program = dspy.ChainOfThought(exported(found["name"]))
            wanted = program.dump_state()
            program.load(path)
            self.assertEqual(program.dump_state()["predict"]["signature"], wanted["predict"]["signature"])


class Optimised(unittest.TestCase):
    """A program that DSPy optimised against a scripted model runs here."""

    @classmethod
    def setUpClass(cls):
        cls.sig = exported("LoRAOptimization")
        outputs = list(cls.sig.output_fields)
        answers = [{"reasoning": f"because {i}", **{f: f"{f} {i}" for f in outputs}} for i in range(8)]
        dspy.configure(lm=DummyLM(answers), adapter=ChatAdapter())
        train = [dspy.Example(**{f: f"{f} of task {i}" for f in cls.sig.input_fields}).with_inputs(*cls.sig.input_fields)
                 for i in range(6)]
        optimiser = dspy.BootstrapFewShot(metric=lambda example, prediction, trace=None: bool(prediction.lora_config),
                                          max_bootstrapped_demos=3, max_labeled_demos=0)
        cls.program = optimiser.compile(dspy.ChainOfThought(cls.sig), trainset=train)
        cls.state = os.path.join(ROOT, "optimised.json")
        cls.program.save(cls.state)
        cls.inputs = {f: f"a new {f}\nof two lines" for f in cls.sig.input_fields}

    def test_it_has_examples(self):
        self.assertEqual(len(self.program.predict.demos), 3)
        out = json.loads(espalier("--json", "signature", "check", self.state, "--signature", "LoRAOptimization", "--module",
                                  "chain_of_thought").stdout)
        self.assertEqual(out["demos"], 3)

    def test_it_renders_the_same_messages(self):
        predict = self.program.predict
        for adapter, name in ((ChatAdapter(), "chat"), (JSONAdapter(), "json")):
            theirs = adapter.format(predict.signature, predict.demos, self.inputs)
            ours, _ = rendered("LoRAOptimization", self.inputs, "--module", "chain_of_thought", "--state", self.state,
                               "--adapter", name)
            self.assertEqual(ours, theirs, name)

    def test_it_runs_against_an_endpoint(self):
        reply, log = os.path.join(ROOT, "reply.txt"), os.path.join(ROOT, "requests.jsonl")
        outputs = ["reasoning", *self.sig.output_fields]
        with open(reply, "w", encoding="utf-8") as f:
            f.write("".join(f"[[ ## {n} ## ]]\nthe {n}\n\n" for n in outputs) + "[[ ## completed ## ]]\n")
        fake = subprocess.Popen([sys.executable, os.path.join(h.TREE, "tests/support/fake_lm.py"), "--reply", reply, "--log", log],
                                stdout=subprocess.PIPE, text=True)
        port = fake.stdout.readline().split()[1]
        coordinator = h.Coordinator(os.path.join(ROOT, "c"), "--lm-url", f"http://127.0.0.1:{port}/v1", "--lm-model",
                                    "scripted").start()
        try:
            inputs = os.path.join(ROOT, "inputs.json")
            with open(inputs, "w", encoding="utf-8") as f:
                json.dump(self.inputs, f)
            out = coordinator.json("signature", "run", "LoRAOptimization", "--module", "chain_of_thought", "--inputs", inputs,
                                   "--state", self.state, "--framing", FRAMING)
            self.assertEqual({o["name"]: o["value"]["text"] for o in out["outputs"]}, {n: f"the {n}" for n in outputs})
            self.assertEqual(out["adapter"], "chat")
            self.assertEqual(out["usage"]["calls"], 1)
            asked = h.read_lines(log)
            self.assertEqual(len(asked), 1)
            body = asked[0]["body"]
            body = json.loads(body) if isinstance(body, str) else body
            predict = self.program.predict
            self.assertEqual(body["messages"], ChatAdapter().format(predict.signature, predict.demos, self.inputs))
        finally:
            coordinator.process.stop()
            fake.terminate()
            fake.wait(30)
            fake.stdout.close()


if __name__ == "__main__":
    try:
        h.run(sys.executable, os.path.join(h.TREE, "deploy/dspy/export_framing.py"), FRAMING)
        passed = unittest.main(exit=False, verbosity=0).result.wasSuccessful()
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
    sys.exit(0 if passed else 1)
