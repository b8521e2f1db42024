"""Whatever the model's endpoint does, the plan fits: absent, hanging, wrong, hostile, and right."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness as h

JOB = os.path.join(h.TREE, "deploy/examples/federated.json")
PIPELINE = os.path.join(h.TREE, "deploy/examples/pipeline.json")
FAKE = os.path.join(h.TREE, "tests/support/fake_lm.py")
FLEET = ["m1-8gb", "m3pro-18gb", "m4max-64gb", "m2ultra-192gb"]

GOOD = """[[ ## reasoning ## ]]
Few steps, a small rank: the links are slow.

[[ ## optimization_strategy ## ]]
{"sequence_length": 960, "rationale": "few notes are longer"}

[[ ## resource_allocation ## ]]
{"rank": 8, "layers": 8}

[[ ## client_optimization ## ]]
[{"client_class": "c1", "batch_size": 2}, {"client_class": "c2", "batch_size": 2},
 {"client_class": "c3", "batch_size": 2}, {"client_class": "c4", "batch_size": 2}]

[[ ## communication_protocol ## ]]
{"upload_format": "int8"}

[[ ## convergence_strategy ## ]]
{"lr_schedule": "cosine", "warmup_steps": 3}

[[ ## completed ## ]]
"""


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        reply = os.path.join(cls.root, "reply.txt")
        with open(reply, "w", encoding="utf-8") as f:
            f.write(GOOD)
        cls.server_log = os.path.join(cls.root, "requests.jsonl")
        cls.fake = subprocess.Popen([sys.executable, FAKE, "--reply", reply, "--log", cls.server_log],
                                    stdout=subprocess.PIPE, text=True)
        cls.port = int(cls.fake.stdout.readline().split()[1])
        key_file = os.path.join(cls.root, "lm.key")
        with open(key_file, "w", encoding="utf-8") as f:
            f.write("sk-a-secret-that-must-not-show\n")
        os.chmod(key_file, 0o600)
        cls.key_file = key_file

    @classmethod
    def tearDownClass(cls):
        cls.fake.terminate()
        cls.fake.wait(20)
        cls.fake.stdout.close()
        shutil.rmtree(cls.root)

    @contextlib.contextmanager
    def lab(self, *options, url=None, behaviour="ok", agents=FLEET, folder=None):
        """A coordinator with a model that behaves so, and its agents, ready to plan."""
        folder = folder or tempfile.mkdtemp(dir=self.root)
        coordinator = h.Coordinator(
            os.path.join(folder, "c"), "--lm-url", url or f"http://127.0.0.1:{self.port}/{behaviour}/v1", "--lm-model",
            "fake", "--lm-key-file", self.key_file, "--lm-connect-timeout", "2s", "--lm-first-byte-timeout", "2s",
            "--lm-total-timeout", "4s", *options).start()
        started = []
        try:
            key = coordinator.key
            for name in agents:
                agent = h.Agent(coordinator, os.path.join(folder, name), name, "--replay",
                                os.path.join(h.FLEET, f"composed-{name}.json"))
                started.append(agent.allow().start(key))
            h.wait_until("the fleet", lambda: len([d for d in coordinator.json("devices").get("devices", [])
                                                   if "state" in d]) == len(agents))
            yield coordinator
        finally:
            for agent in started:
                agent.process.child.terminate()
            for agent in started:
                agent.process.stop()
            coordinator.process.stop()

    def ask(self, coordinator, job=JOB, kind="federated"):
        reply = coordinator.json("plan", kind, job, "--engine", "lm")
        self.assertNotIn("sk-a-secret", coordinator.process.logged())
        self.assertNotIn("sk-a-secret", str(reply))
        return reply["plan"]

    def plan(self, behaviour, job=JOB, kind="federated", url=None, agents=FLEET, settings=()):
        """A plan made with a fresh coordinator whose model behaves so; its JSON."""
        with self.lab(*settings, url=url, behaviour=behaviour, agents=agents) as coordinator:
            return self.ask(coordinator, job, kind)

    def requests(self, behaviour):
        with open(self.server_log, encoding="utf-8") as log:
            return sum(f'"path": "/{behaviour}/' in line for line in log)

    def bodies(self, behaviour):
        """The bodies that the server got under this behaviour, in order."""
        with open(self.server_log, encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        return [json.loads(line["body"]) for line in lines if line["path"].startswith(f"/{behaviour}/")]

    def write(self, name, document):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document, f)
        return path

    def assert_fits(self, plan):
        taking = [a for a in plan["assignments"] if a["participate"]]
        self.assertTrue(taking)
        for a in taking:
            self.assertLessEqual(a["prediction"]["memory_bytes"], a["memory_limit_bytes"])
            self.assertLessEqual(a["prediction"]["round_seconds"], a["training"]["deadline_seconds"] + 1e-6)
        return taking

    def assert_analytic(self, plan, *words):
        self.assert_fits(plan)
        self.assertEqual(plan["engine_asked"], "lm")
        failure = plan["proposal"].get("failure", "")
        self.assertTrue(failure, "the plan says why the model's answer was not used")
        for word in words:
            self.assertIn(word, failure.lower())
        self.assertTrue(any("model" in w for w in plan["warnings"]))

    def test_a_good_answer_moves_the_numbers_of_the_plan(self):
        plan = self.plan("ok")
        taking = self.assert_fits(plan)
        self.assertEqual(plan["federated"]["rank"], 8, plan.get("warnings"))
        self.assertEqual(plan["federated"]["layers"], 8)
        self.assertEqual(plan["federated"]["upload_format"], "int8")
        by_class = {a["client_class"]: a["training"] for a in taking}
        chips = {c["chip"]: c["client_class"] for c in plan["classes"]}
        large, small = chips["Apple M2 Ultra"], chips["Apple M1"]
        self.assertEqual(by_class[large]["batch_size"], 2)
        self.assertEqual(by_class[small]["batch_size"], 1)
        self.assertEqual({t["sequence_length"] for t in by_class.values()}, {960})
        self.assertEqual({t["lr_schedule"] for t in by_class.values()}, {"cosine"})
        used = {(d["field"], d.get("subject")): d for d in plan["decisions"]}
        self.assertEqual(used[("resource_allocation.rank", None)]["engine"], "lm")
        self.assertEqual(used[("resource_allocation.rank", None)]["outcome"], "used")
        self.assertEqual(used[("client_optimization[].batch_size", large)]["outcome"], "used")
        moved = used[("client_optimization[].batch_size", small)]
        self.assertEqual((moved["outcome"], moved["proposed"], moved["used"], moved["constraint"]),
                         ("repaired", "2", "1", "memory"))
        self.assertTrue(moved["reason"])
        self.assertEqual(plan["proposal"]["usage"]["calls"], 1)
        self.assertEqual(plan["proposal"]["usage"]["prompt_tokens"], 120)
        with open(self.server_log, encoding="utf-8") as log:
            prompt = log.read()
        self.assertIn("[[ ## client_capabilities ## ]]", prompt.replace("\\n", "\n"))
        for name in FLEET:
            self.assertNotIn(f"composed-{name}", prompt)
        for device in (a["device_id"] for a in plan["assignments"]):
            self.assertNotIn(device, prompt)

    def test_impossible_numbers_are_repaired_and_said(self):
        plan = self.plan("impossible")
        self.assert_fits(plan)
        repaired = [d for d in plan["decisions"] if d["outcome"] in ("repaired", "rejected")]
        self.assertTrue(repaired)
        for d in repaired:
            self.assertTrue(d["reason"], d)
            self.assertTrue(d.get("proposed"), d)

    def test_a_hostile_answer_reaches_no_client(self):
        plan = self.plan("hostile")
        self.assert_fits(plan)
        for a in plan["assignments"]:
            text = str(a)
            for word in ("DROP TABLE", "etc/passwd", "\x1b", "rm -rf"):
                self.assertNotIn(word, text)

    def test_what_has_no_markers_is_asked_for_as_an_object(self):
        plan = self.plan("objects-only", agents=FLEET[2:3])
        self.assert_fits(plan)
        self.assertEqual(plan["federated"]["rank"], 8)
        usage = plan["proposal"]["usage"]
        self.assertEqual((usage["calls"], usage["prompt_tokens"]), (2, 240))
        notes = [n for n in plan["proposal"]["notes"] if n.startswith("call ")]
        self.assertEqual(len(notes), 2)
        self.assertIn("call 1, fields under markers: 120 + 34 tokens, not used: the reply has none", notes[0])
        self.assertEqual(notes[1], "call 2, one object by its schema: 120 + 34 tokens, used")
        first, second = self.bodies("objects-only")
        self.assertNotIn("response_format", first)
        schema = second["response_format"]["json_schema"]
        self.assertEqual((schema["name"], schema["strict"]), ("DSPyProgramOutputs", True))
        self.assertEqual(next(iter(schema["schema"]["properties"])), "reasoning")
        self.assertIn("ClientOptimization", schema["schema"]["$defs"])

    def test_a_model_is_shown_once_what_was_wrong(self):
        plan = self.plan("learns", agents=FLEET[2:3])
        self.assert_fits(plan)
        self.assertEqual(plan["federated"]["upload_format"], "int8")
        self.assertEqual(plan["proposal"]["usage"]["calls"], 4)
        self.assertEqual(plan["proposal"]["notes"][-1], "call 4, one object, shown what was wrong: 120 + 34 tokens, used")
        last = self.bodies("learns")[-1]["messages"]
        self.assertEqual([m["role"] for m in last], ["system", "user", "assistant", "user"])
        self.assertIn("That reply cannot be used", last[3]["content"])

    def test_a_model_that_never_does_it_is_not_asked_for_ever(self):
        plan = self.plan("prose", agents=FLEET[2:3], settings=["--lm-correction=no", "--lm-adapter", "json"])
        self.assert_analytic(plan, "the answer could not be used")
        self.assertEqual(plan["proposal"]["usage"]["calls"], 2)
        self.assertEqual([r["response_format"]["type"] for r in self.bodies("prose")],
                         ["json_schema", "json_object"])

    def test_a_program_saved_by_dspy_is_asked_with(self):
        inputs = ["hardware_context", "performance_target", "client_capabilities", "communication_constraints",
                  "privacy_requirements", "aggregation_strategy"]
        outputs = ["reasoning", "optimization_strategy", "resource_allocation", "client_optimization",
                   "communication_protocol", "convergence_strategy"]
        fields = [{"prefix": f"{name.replace('_', ' ').title()}:", "description": f"${{{name}}}"}
                  for name in inputs + outputs]
        demo = {"hardware_context": "one M4 Max", "resource_allocation": {"rank": 4, "layers": 4}}
        state = {"predict": {"traces": [], "train": [], "demos": [demo], "lm": None,
                             "signature": {"instructions": "Plan as optimised.", "fields": fields}},
                 "metadata": {"dependency_versions": {"dspy": "3.4.1"}}}
        program = self.write("program.json", state)
        self.plan("slow", agents=FLEET[2:3], settings=["--lm-federated-program", program])
        messages = self.bodies("slow")[-1]["messages"]
        self.assertEqual(len(messages), 4)
        self.assertIn("Plan as optimised.", messages[0]["content"])
        self.assertIn("one M4 Max", messages[1]["content"])
        self.assertIn('{"rank": 4, "layers": 4}', messages[2]["content"])
        demo["resource_allocation"] = {"rank": "as many as fit"}
        failed = h.run(h.program("espalier-coordinator"), "--data-dir", os.path.join(self.root, "none"),
                       "--lm-federated-program", self.write("bad.json", state), check=False)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("demos[0].resource_allocation.rank", failed.stderr)

    def test_no_endpoint_at_all(self):
        self.assert_analytic(self.plan("", url=f"http://127.0.0.1:{h.free_port()}/v1"))

    def test_it_hangs_before_the_first_byte(self):
        self.assert_analytic(self.plan("hang-first"), "timeout")

    def test_it_hangs_in_the_middle(self):
        self.assert_analytic(self.plan("hang-body"), "timeout")

    def test_it_answers_500(self):
        self.assert_analytic(self.plan("error-500"), "server")

    def test_it_wants_another_key(self):
        plan = self.plan("error-401")
        self.assert_analytic(plan, "auth", "401")
        self.assertEqual(plan["proposal"]["usage"]["calls"], 1)

    def test_the_account_is_empty(self):
        self.assert_analytic(self.plan("error-402"), "billing")

    def test_the_prompt_is_too_long_for_it(self):
        self.assert_analytic(self.plan("error-400"), "context")

    def test_it_thinks_until_there_is_no_room_for_an_answer(self):
        self.assert_analytic(self.plan("think-only"), "thinking")

    def test_it_points_elsewhere(self):
        self.assert_analytic(self.plan("redirect-file"), "redirect")

    def test_it_fails_twice_and_then_answers(self):
        plan = self.plan("error-500-twice")
        self.assertEqual(plan["federated"]["rank"], 8, plan.get("warnings"))
        self.assertEqual(plan["proposal"]["usage"]["calls"], 3)

    def test_the_same_question_is_asked_once_and_again_after_a_restart(self):
        folder = tempfile.mkdtemp(dir=self.root)
        for start in range(2):
            with self.lab(behaviour="reasoning", folder=folder) as coordinator:
                for again in range(2):
                    plan = self.ask(coordinator)
                    usage = plan["proposal"]["usage"]
                    self.assertEqual(plan["federated"]["rank"], 8, plan.get("warnings"))
                    hit = start or again
                    self.assertEqual((usage["calls"], usage.get("cache_hits", 0)), (0, 1) if hit else (1, 0))
                    self.assertEqual(usage["prompt_tokens"], 0 if hit else 120)
                    self.assertEqual(self.requests("reasoning"), 1)
                shown = coordinator.cli("plan", "show", plan["plan_id"]).stdout
                if start:
                    self.assertIn("nothing, it was asked the same before", shown)
        with open(os.path.join(folder, "c", "espalier.db"), "rb") as database:
            self.assertNotIn(b"sk-a-secret", database.read())

    def test_no_answer_is_kept_where_the_settings_say_so(self):
        with self.lab("--lm-cache-age", "0", behaviour="usage-partial") as coordinator:
            for _ in range(2):
                self.assertEqual(self.ask(coordinator)["proposal"]["usage"]["calls"], 1)
        self.assertEqual(self.requests("usage-partial"), 2)

    def test_a_recorded_run_is_repeated_without_a_model(self):
        record = os.path.join(self.root, "run.jsonl")
        folder = tempfile.mkdtemp(dir=self.root)
        secret = f"http://127.0.0.1:{self.port}/ok/v1?token=hidden-in-the-address"
        with self.lab("--lm-record", record, url=secret, folder=folder) as coordinator:
            first = self.ask(coordinator)
            shown = coordinator.cli("status").stdout + str(first) + coordinator.process.logged()
        with open(record, encoding="utf-8") as f:
            recorded = f.read()
        self.assertEqual(recorded.count("\n"), 1)
        with open(os.path.join(folder, "c", "espalier.db"), "rb") as database:
            kept = database.read()
        for secret in ("hidden-in-the-address", "sk-a-secret"):
            self.assertNotIn(secret, shown + recorded)
            self.assertNotIn(secret.encode(), kept)
        self.assertNotIn("127.0.0.1", recorded)
        with self.lab("--lm-replay", record, url=f"http://127.0.0.1:{h.free_port()}/v1") as coordinator:
            again = self.ask(coordinator)
        self.assertEqual(again["decisions"], first["decisions"])
        self.assertEqual(again["proposal"]["reply"], first["proposal"]["reply"])
        self.assertEqual(again["proposal"]["usage"]["calls"], 0)

    def test_a_run_of_several_calls_is_repeated_call_by_call(self):
        record = os.path.join(self.root, "chain.jsonl")
        with self.lab("--lm-record", record, behaviour="learns", agents=FLEET[2:3]) as coordinator:
            first = self.ask(coordinator)
            self.assertEqual(first["proposal"]["usage"]["calls"], 4)
            again = self.ask(coordinator)  # from the cache, and recorded too
            self.assertEqual((again["proposal"]["usage"]["calls"], again["proposal"]["usage"]["cache_hits"]), (0, 4))
            self.assertEqual(again["decisions"], first["decisions"])
        with open(record, encoding="utf-8") as f:
            self.assertEqual(len(f.readlines()), 8)
        with self.lab("--lm-replay", record, agents=FLEET[2:3]) as coordinator:
            repeated = self.ask(coordinator)
        self.assertEqual(repeated["decisions"], first["decisions"])
        self.assertEqual(repeated["proposal"]["reply"], first["proposal"]["reply"])
        self.assertEqual(len([n for n in repeated["proposal"]["notes"] if n.startswith("call ")]), 4)
        self.assertEqual(repeated["proposal"]["usage"]["calls"], 0)

    def test_it_answers_html(self):
        self.assert_analytic(self.plan("html"))

    def test_it_answers_half_a_json(self):
        self.assert_analytic(self.plan("half-json"))

    def test_a_pipeline_with_a_model_that_says_nothing_useful(self):
        plan = self.plan("html", PIPELINE, "pipeline")
        self.assertEqual(len(plan["pipeline"]["stages"]), 8)
        self.assertTrue(plan["proposal"]["failure"])


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
