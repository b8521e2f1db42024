"""Both mission signatures, asked of a real small language model, with markers and with a schema: whatever it says, the
plan is valid. And what its server answers where a client asks for something odd.

The model has 135 million parameters and writes mostly nonsense. That is the point: a real endpoint with real
failures. What is tested is that the plan fits and tells the truth about it, never that the model is clever. One
example goes with each question, so that it has something to go on; its numbers fit none of these Macs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import harness as h

FLEET = ["m1-8gb", "m4max-64gb", "m2ultra-192gb"]

EXAMPLES = {
    "FederatedLearning": {
        "hardware_context": "3 classes", "client_capabilities": "c1: M1; c2: M4", "reasoning": "All alike.",
        "optimization_strategy": {"model_format": "f32", "sequence_length": 1048576},
        "resource_allocation": {"rank": 1024, "layers": 4096}, "client_optimization": [
            {"client_class": "c1", "batch_size": 4096}, {"client_class": "c2", "batch_size": 4096}],
        "communication_protocol": {"upload_format": "int8"}, "convergence_strategy": {"learning_rate": 9.0}},
    "MLPipelineOptimization": {
        "pipeline_description": "one stage: train", "hardware_cluster": "c1: M1; c2: M4", "reasoning": "The large one.",
        "pipeline_architecture": {"rationale": "one after the other"},
        "resource_scheduling": [{"stage": "train", "client_class": "c2"}],
        "monitoring_strategy": [{"stage": "train", "metric": "stage_seconds", "warn": 1e6}],
        "deployment_plan": [{"order": 1, "stage": "train", "action": "start"}]},
}


class Server:
    """The model behind its server, for all tests of this file."""

    def __init__(self):
        self.port = h.free_port()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "small_model.py")
        self.child = subprocess.Popen([sys.executable, script, str(self.port)], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        if self.child.stdout.readline().strip() != "ready":
            raise AssertionError("the model's server did not start")

    def stop(self):
        self.child.terminate()
        self.child.wait(30)
        self.child.stdout.close()

    def ask(self, **body):
        """Status and document of a request that is small unless it says otherwise."""
        body = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 4, "temperature": 0, **body}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/chat/completions", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=240) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            with e:
                return e.code, json.load(e)


def setUpModule():
    global server, root
    server, root = Server(), tempfile.mkdtemp(prefix="esp")


def tearDownModule():
    server.stop()
    shutil.rmtree(root)


def program(name):
    """A saved program of the signature with one example."""
    path = os.path.join(root, name + ".json")
    if not os.path.exists(path):
        h.run(h.program("espalier"), "signature", "export", name, "--module", "chain_of_thought", "--state", path)
        document = h.read_json(path)
        document["predict"]["demos"] = [EXAMPLES[name]]
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document, f)
    return path


def coordinator(folder, *options):
    return h.Coordinator(os.path.join(root, folder), "--lm-url", f"http://127.0.0.1:{server.port}/v1", "--lm-model",
                         "smollm2-135m-instruct", "--lm-first-byte-timeout", "240s", "--lm-total-timeout", "300s", *options)


class Plans:
    """Both kinds of plan; subclasses say how the model is asked, and for how many tokens: a busy machine makes ten in a
    second."""

    @classmethod
    def setUpClass(cls):
        cls.coordinator = coordinator(
            cls.adapter, "--lm-adapter", cls.adapter, "--lm-max-tokens", str(cls.max_tokens), "--lm-correction=no",
            "--lm-federated-program", program("FederatedLearning"), "--lm-pipeline-program",
            program("MLPipelineOptimization")).start()
        cls.agents = [h.Agent(cls.coordinator, os.path.join(root, cls.adapter + n), n, "--replay",
                              os.path.join(h.FLEET, f"composed-{n}.json")).allow().start() for n in FLEET]
        h.wait_until("the fleet", lambda: len([d for d in cls.coordinator.json("devices").get("devices", [])
                                               if "state" in d]) == len(FLEET))

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents:
            agent.process.stop()
        cls.coordinator.process.stop()

    def plan(self, kind):
        job = os.path.join(h.TREE, f"deploy/examples/{kind}.json")
        plan = self.coordinator.json("plan", kind, job, "--engine", "lm", "--timeout", "400s", timeout=420)["plan"]
        proposal, outcomes = plan["proposal"], {}
        self.assertEqual(plan["engine_asked"], "lm")
        usage = proposal["usage"]
        self.assertGreaterEqual(usage["calls"], 1)
        self.assertGreater(usage["prompt_tokens"], 200)
        for d in plan.get("decisions", []):
            outcomes[d["outcome"]] = outcomes.get(d["outcome"], 0) + 1
            if d["outcome"] == "repaired":  # the report says from what to what, and why
                self.assertTrue({"proposed", "used", "reason"} <= set(d), d)
        print(f"{self.adapter}, {kind}: {usage['calls']} calls, {usage['prompt_tokens']} tokens in, "
              f"{usage.get('completion_tokens')} out, {usage['seconds']:.1f} s; decisions {outcomes}; "
              f"{len(proposal.get('notes', []))} notes; {proposal.get('failure', 'usable')[:120]}")
        for d in [d for d in plan.get("decisions", []) if d["outcome"] in ("repaired", "rejected")][:3]:
            print(f"    {d['outcome']} {d.get('subject', 'plan')} {d['field']}: {d.get('proposed')} -> {d.get('used')}: "
                  f"{d.get('reason', '')[:90]}")
        shown = self.coordinator.cli("plan", "show", plan["job_id"], "--proposal").stdout
        self.assertIn("tokens", shown)
        return plan

    def test_federated(self):
        plan = self.plan("federated")
        taking = [a for a in plan["assignments"] if a["participate"]]
        self.assertEqual(len(taking), len(FLEET))
        for a in taking:
            self.assertLessEqual(a["prediction"]["memory_bytes"], a["memory_limit_bytes"])
            self.assertLessEqual(a["prediction"]["round_seconds"], a["training"]["deadline_seconds"] + 1e-6)

    def test_pipeline(self):
        plan = self.plan("pipeline")
        self.assertEqual(len(plan["pipeline"]["stages"]), 8)
        self.assertLessEqual(plan["pipeline"]["makespan_seconds"], 7200)


class WithMarkers(Plans, unittest.TestCase):
    adapter, max_tokens = "chat", 100


class WithASchema(Plans, unittest.TestCase):
    adapter, max_tokens = "json", 200


class OddReplies(unittest.TestCase):
    """What this server does that an OpenAI client would not think of; and what our client makes of what it can meet."""

    SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}

    def format(self, schema, **more):
        return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema, **more}}

    def run_one(self, folder, line, inputs, *options):
        c = coordinator(folder, *options).start()
        try:
            path = os.path.join(root, folder + ".in")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(inputs, f)
            return json.loads(c.cli("--json", "signature", "run", line, "--no-context", "a test", "--inputs", path, "--adapter",
                                    "json", "--no-retry", "--timeout", "400s", check=False, timeout=420).stdout)
        finally:
            c.process.stop()

    def test_an_unknown_model_is_answered_all_the_same(self):
        status, answer = server.ask(model="no-such-model")
        self.assertEqual((status, answer["choices"][0]["message"]["role"]), (200, "assistant"))

    def test_a_schema_that_is_a_list_binds_nothing(self):
        self.assertEqual(server.ask(response_format=self.format([self.SCHEMA]))[0], 200)

    def test_a_schema_that_is_missing_binds_nothing(self):
        self.assertEqual(server.ask(response_format={"type": "json_schema"})[0], 200)

    def test_a_schema_that_cannot_be_is_refused(self):
        for bad in ({"$ref": "#/$defs/nothing"}, {"type": "colour"}):
            status, answer = server.ask(response_format=self.format({"type": "object", "properties": {"n": bad}}))
            self.assertEqual((status, answer["error"]["type"]), (400, "invalid_request_error"), answer)

    def test_too_long_a_prompt_is_told_with_its_numbers(self):
        status, answer = server.ask(messages=[{"role": "user", "content": "word " * 20000}])
        self.assertEqual((status, answer["error"]["type"]), (400, "exceed_context_size_error"))
        self.assertGreater(answer["error"]["n_prompt_tokens"], answer["error"]["n_ctx"])

    def test_too_long_a_prompt_is_no_matter_of_form_for_our_client(self):
        out = self.run_one("long", "text -> n: int", {"text": "word " * 20000})
        self.assertIn("context", out["failure"])
        self.assertEqual(out["usage"]["calls"], 1)  # asking in another form would not mend it

    def test_a_role_that_is_no_text_breaks_the_server(self):
        self.assertEqual(server.ask(messages=[{"role": 1, "content": "x"}])[0], 500)

    def test_no_tokens_are_one(self):
        status, answer = server.ask(max_tokens=0)
        self.assertEqual((status, answer["usage"]["completion_tokens"]), (200, 1))

    def test_tools_are_ignored(self):
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
        status, answer = server.ask(tools=[tool])
        self.assertEqual(status, 200)
        self.assertFalse(answer["choices"][0]["message"].get("tool_calls"))

    def test_what_a_schema_binds_is_read_whole_or_cut(self):
        whole = self.run_one("whole", "question -> n: int", {"question": "One digit."}, "--lm-max-tokens", "40")
        self.assertIsInstance(whole["outputs"][0]["value"]["integer"], int)
        self.assertEqual((whole["adapter"], whole["usage"]["calls"]), ("json", 1))
        cut = self.run_one("cut", "question -> a: list[str], b: list[str]", {"question": "Many words."}, "--lm-max-tokens", "6")
        self.assertIn("cut", cut["failure"] + " ".join(cut.get("steps", [])))


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
