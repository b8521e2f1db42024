"""Whatever the model's endpoint does, the plan fits: absent, hanging, wrong, hostile, and right."""

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

    def plan(self, behaviour, job=JOB, kind="federated", url=None, agents=FLEET):
        """A plan made with a fresh coordinator whose model behaves so; its JSON."""
        folder = tempfile.mkdtemp(dir=self.root)
        coordinator = h.Coordinator(
            os.path.join(folder, "c"), "--lm-url", url or f"http://127.0.0.1:{self.port}/{behaviour}/v1", "--lm-model",
            "fake", "--lm-key-file", self.key_file, "--lm-connect-timeout", "2s", "--lm-first-byte-timeout", "2s",
            "--lm-total-timeout", "4s").start()
        started = []
        try:
            key = coordinator.key
            for name in agents:
                agent = h.Agent(coordinator, os.path.join(folder, name), name, "--replay",
                                os.path.join(h.FLEET, f"composed-{name}.json"))
                started.append(agent.allow().start(key))
            h.wait_until("the fleet", lambda: len([d for d in coordinator.json("devices").get("devices", [])
                                                   if "state" in d]) == len(agents))
            reply = coordinator.json("plan", kind, job, "--engine", "lm")
            self.assertNotIn("sk-a-secret", coordinator.process.logged())
            self.assertNotIn("sk-a-secret", str(reply))
            return reply["plan"]
        finally:
            for agent in started:
                agent.process.child.terminate()
            for agent in started:
                agent.process.stop()
            coordinator.process.stop()

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
        prompt = open(self.server_log, encoding="utf-8").read()
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

    def test_no_endpoint_at_all(self):
        self.assert_analytic(self.plan("", url=f"http://127.0.0.1:{h.free_port()}/v1"))

    def test_it_hangs_before_the_first_byte(self):
        self.assert_analytic(self.plan("hang-first"), "timeout")

    def test_it_hangs_in_the_middle(self):
        self.assert_analytic(self.plan("hang-body"), "timeout")

    def test_it_answers_500(self):
        self.assert_analytic(self.plan("error-500"), "server")

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
