"""Signatures over the public protocol: listed, shown, made, rendered, checked and run by an outside tool."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

import zmq

import harness as h

FAKE = os.path.join(h.TREE, "tests/support/fake_lm.py")
EXAMPLE = os.path.join(h.TREE, "deploy/examples/outside_signature.py")
LINE = "question, facts: dict[str, float] -> score: float, tags: list[str], note: Optional[int]"
REPLY = "[[ ## score ## ]]\n3\n\n[[ ## tags ## ]]\n['a', 'b']\n\n[[ ## note ## ]]\nnull\n\n[[ ## completed ## ]]\n"
OWN = {"name": "OwnSignature", "category": "inference", "instructions": "Say it.",
       "fields": [{"name": "hardware_context", "direction": "input", "role": "hardware", "description": "the Mac"},
                  {"name": "latency_target", "direction": "input", "role": "performance", "description": "in ms"},
                  {"name": "fallback_plan", "direction": "output", "role": "strategy", "description": "what else"}]}


def generated(name):
    """A module of proto/ beside those of the harness: it is loaded with them."""
    return sys.modules[f"espalier.v1.{name}"]


signature_pb2 = generated("signature_pb2")
Value = signature_pb2.Value
FORM = {n.removeprefix("VALUE_FORM_").lower(): v for n, v in h.enums_pb2.ValueForm.items()}


def value_of(plain):
    """Whatever JSON holds, as a Value."""
    if plain is None:
        return Value(form=FORM["null"])
    if isinstance(plain, bool):
        return Value(form=FORM["truth"], truth=plain)
    if isinstance(plain, int):
        return Value(form=FORM["integer"], integer=plain)
    if isinstance(plain, float):
        return Value(form=FORM["number"], number=plain)
    if isinstance(plain, str):
        return Value(form=FORM["text"], text=plain)
    if isinstance(plain, list):
        return Value(form=FORM["list"], items=[value_of(v) for v in plain])
    return Value(form=FORM["map"], members=[signature_pb2.NamedValue(name=k, value=value_of(v)) for k, v in plain.items()])


def plain_of(value):
    word = {v: n for n, v in FORM.items()}[value.form]
    if word == "list":
        return [plain_of(v) for v in value.items]
    if word == "map":
        return {m.name: plain_of(m.value) for m in value.members}
    return None if word == "null" else getattr(value, word)


def question(name, inputs, **more):
    q = signature_pb2.SignatureQuestion(**more)
    q.signature.name = name
    q.signature.no_context = "a test"
    q.inputs.extend(signature_pb2.NamedValue(name=k, value=value_of(v)) for k, v in inputs.items())
    return q


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.reply, cls.log = os.path.join(cls.root, "reply.txt"), os.path.join(cls.root, "requests.jsonl")
        with open(cls.reply, "w", encoding="utf-8") as f:
            f.write(REPLY)
        own = os.path.join(cls.root, "own")
        os.mkdir(own)
        with open(os.path.join(own, "OwnSignature.json"), "w", encoding="utf-8") as f:
            json.dump(OWN, f)
        cls.fake = subprocess.Popen([sys.executable, FAKE, "--reply", cls.reply, "--log", cls.log], stdout=subprocess.PIPE,
                                    text=True)
        cls.port = cls.fake.stdout.readline().split()[1]
        cls.coordinator = h.Coordinator(os.path.join(cls.root, "c"), "--lm-url", f"http://127.0.0.1:{cls.port}/v1",
                                        "--lm-model", "scripted", "--signature-dir", own).start()
        cls.tools = {}
        for role in ("viewer", "operator"):
            public, secret = zmq.curve_keypair()
            cls.coordinator.cli("devices", "allow", "--tool", role, "--", public.decode())
            cls.tools[role] = h.Tool(cls.coordinator.tools_endpoint, zmq.DEALER, (public, secret), cls.coordinator.key)

    @classmethod
    def tearDownClass(cls):
        for tool in cls.tools.values():
            tool.close()
        cls.coordinator.process.stop()
        cls.fake.terminate()
        cls.fake.wait(30)
        cls.fake.stdout.close()
        shutil.rmtree(cls.root)

    def ask(self, body, role="viewer", code="OK", **more):
        response = self.tools[role].ask(body, **more)
        self.assertIsNotNone(response, "no answer")
        self.assertEqual(h.enums_pb2.ResponseCode.Name(response.code), f"RESPONSE_CODE_{code}", response.message)
        return response

    def calls(self):
        return len(h.read_lines(self.log)) if os.path.exists(self.log) else 0

    def test_what_there_is_and_one_of_the_folder(self):
        names = [s.name for s in self.ask("signature_list").signatures.signatures]
        self.assertEqual(names, sorted(names))
        for name in ("FederatedLearningSignature", "LoRAOptimizationSignature", "OwnSignature"):
            self.assertIn(name, names)
        training = self.ask("signature_list", category=h.enums_pb2.SIGNATURE_CATEGORY_INFERENCE).signatures.signatures
        self.assertIn("OwnSignature", [s.name for s in training])
        self.assertNotIn("FederatedLearningSignature", [s.name for s in training])
        choice = signature_pb2.SignatureChoice(name="FederatedLearning", typed=True,
                                               module=h.enums_pb2.SIGNATURE_MODULE_CHAIN_OF_THOUGHT)
        shown = self.ask("signature_show", signature=choice, python=True).signature
        self.assertEqual(shown.signature.fields[6].name, "reasoning")
        self.assertIn("class FederatedLearningSignature", shown.python)
        refused = self.ask("signature_show", signature=signature_pb2.SignatureChoice(name="Nope"), code="NOT_FOUND")
        self.assertEqual(refused.field, "signature.name")

    def test_one_that_is_made_is_used(self):
        spec = signature_pb2.FactorySpec(domain="audio", hardware=[signature_pb2.NamedValue(name="cores", value=value_of(12))],
                                         fields=[signature_pb2.SignatureField(name="window", type="int")])
        made = self.ask("signature_create", factory=spec).signature.signature
        self.assertEqual(made.name, "AudioOptimizationSignature")
        self.assertEqual(made.fields[1].fallback, "cores: 12")
        q = signature_pb2.SignatureQuestion(signature=signature_pb2.SignatureChoice(defined=made))
        prompt = self.ask("signature_render", question=q).prompt
        self.assertIn("cores: 12", prompt.messages[-1].content)
        self.assertIn("domain_context: no value", " ".join(prompt.notes))
        clash = signature_pb2.FactorySpec(domain="audio", fields=[signature_pb2.SignatureField(name="domain_context")])
        self.assertIn("domain_context", self.ask("signature_create", factory=clash, code="EXISTS").message)

    def test_values_of_every_form_are_rendered_as_what_they_are(self):
        inputs = {"question": ["a", "b\nc"], "facts": {"one": 1.0, "two": 2, "deep": [None, True, {"x": []}]}}
        prompt = self.ask("signature_render", question=question(LINE, inputs)).prompt
        self.assertEqual([m.role for m in prompt.messages], ["system", "user"])
        self.assertIn('{"one": 1.0, "two": 2, "deep": [null, true, {"x": []}]}', prompt.messages[1].content)
        self.assertIn("[1] \u00aba\u00bb\n[2] \u00ab\u00ab\u00ab\n    b\n    c\n\u00bb\u00bb\u00bb", prompt.messages[1].content)
        as_json = self.ask("signature_render", question=question(LINE, inputs, adapter=h.enums_pb2.SIGNATURE_ADAPTER_JSON))
        self.assertIn("response_format", [f.name for f, _ in as_json.prompt.ListFields()])
        self.ask("signature_render", question=question(LINE, {"answer": 1}), code="INVALID")
        formless = question(LINE, {})
        formless.inputs.add(name="question").value.form = FORM["text"]
        self.assertIn("without it", self.ask("signature_render", question=formless, code="INVALID").message)

    def test_what_nests_too_deep_is_refused(self):
        deep = value_of(0)
        for _ in range(200):
            deep = Value(form=FORM["list"], items=[deep])
        q = question(LINE, {})
        q.inputs.add(name="question").value.CopyFrom(deep)
        self.ask("signature_render", question=q, code="TOO_BIG")

    def test_a_saved_program_is_checked(self):
        with open(os.path.join(h.TREE, "tests/data/signatures/chain_of_thought.json"), encoding="utf-8") as f:
            state = f.read()
        choice = signature_pb2.SignatureChoice(name="FederatedLearning")
        self.assertIn("fields", self.ask("signature_check", signature=choice, state=state, code="INVALID").message)
        self.ask("signature_check", signature=choice, state="{", code="MALFORMED")

    def test_a_run_is_an_operator_s_and_costs_once(self):
        run = {"question": question(LINE, {"question": "How many?", "facts": {}})}
        self.ask("signature_run", code="DENIED", **run)
        before, request_id = self.calls(), uuid.uuid4().hex
        first = self.ask("signature_run", role="operator", request_id=request_id, **run).signature_run
        self.assertEqual({o.name: plain_of(o.value) for o in first.outputs}, {"score": 3.0, "tags": ["a", "b"], "note": None})
        self.assertEqual([o.value.form for o in first.outputs], [FORM["number"], FORM["list"], FORM["null"]])
        self.assertEqual(first.adapter, h.enums_pb2.SIGNATURE_ADAPTER_CHAT)
        self.assertEqual((first.usage.calls, first.usage.prompt_tokens, first.usage.completion_tokens), (1, 120, 34))
        self.assertTrue(any("JSON" in n for n in first.notes), list(first.notes))
        again = self.ask("signature_run", role="operator", request_id=request_id, **run).signature_run
        self.assertEqual(again, first)
        self.assertEqual(self.calls() - before, 1)

    def test_a_useless_model_is_said_with_what_it_cost(self):
        before = self.calls()
        run = {"question": question("question -> count: int", {"question": "How many?"})}
        out = self.ask("signature_run", role="operator", **run).signature_run
        self.assertEqual(len(out.outputs), 0)
        self.assertTrue(out.failure)
        self.assertEqual(len(out.steps), out.usage.calls)
        self.assertGreaterEqual(out.usage.calls, 3)  # markers, then an object, then shown what was wrong
        self.assertEqual(self.calls() - before, out.usage.calls)
        self.assertEqual(out.usage.prompt_tokens, 120 * out.usage.calls)
        alone = self.ask("signature_run", role="operator", retry=False, fallback=False,
                         question=question("question -> count: int", {"question": "How few?"})).signature_run
        self.assertEqual(alone.usage.calls, 1)

    def test_several_runs_at_once_end_each_with_its_own(self):
        tool, wanted = self.tools["operator"], {}
        for i in range(8):
            request = h.tool_pb2.Request(protocol_version=1, request_id=uuid.uuid4().hex)
            request.signature_run.question.CopyFrom(question(LINE, {"question": f"number {i}", "facts": {}}))
            wanted[request.request_id] = i
            tool.send(request)
        for _ in range(8):
            response = tool.receive()
            wanted.pop(response.request_id)
            self.assertEqual(plain_of(response.signature_run.outputs[0].value), 3.0)
        self.assertEqual(wanted, {})

    def test_the_command_line_asks_the_same(self):
        inputs = os.path.join(self.root, "inputs.json")
        with open(inputs, "w", encoding="utf-8") as f:
            json.dump({"question": "What of it?", "facts": {"a": 1.5}}, f)
        out = self.coordinator.cli("signature", "run", LINE, "--no-context", "a test", "--inputs", inputs).stdout
        self.assertIn("score\n  3.0\n", out)
        self.assertIn("1 call, 120 tokens in, 34 out", out)
        failed = self.coordinator.cli("signature", "run", "question -> count: int", "--no-context", "a test", "--inputs", "-",
                                      check=False)
        self.assertEqual(failed.returncode, 2, failed.stdout + failed.stderr)

    def test_the_example_of_an_outside_tool(self):
        done = h.run(sys.executable, EXAMPLE, "--coordinator", f"ipc://{self.coordinator.socket}", LINE,
                     '{"question": "From outside", "facts": {}}')
        self.assertEqual(json.loads(done.stdout), {"score": 3.0, "tags": ["a", "b"], "note": None})
        self.assertIn("1 calls, 120 tokens in, 34 out", done.stderr)


class NoModel(unittest.TestCase):
    def test_without_a_model_a_run_fails_and_nothing_else_does(self):
        root = tempfile.mkdtemp(prefix="esp")
        coordinator = h.Coordinator(os.path.join(root, "c")).start()
        tool = h.Tool(f"ipc://{coordinator.socket}")
        try:
            out = tool.ask("signature_run", question=question(LINE, {"question": "Anybody?", "facts": {}}))
            self.assertIn("absent", out.signature_run.failure)
            self.assertEqual(out.signature_run.usage.calls, 0)
            self.assertTrue(tool.ask("signature_list").signatures.signatures)
        finally:
            tool.close()
            coordinator.process.stop()
            shutil.rmtree(root)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
