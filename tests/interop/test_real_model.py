"""The federated and the pipeline job, proposed by a real small language model: whatever it says, the plan is valid.

The model has 135 million parameters and writes mostly nonsense. That is the point: a real endpoint with real
failures. What is tested is that the plan fits and tells the truth about it, never that the model is clever."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness as h

FLEET = ["m1-8gb", "m4max-64gb", "m2ultra-192gb"]


class RealModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.port = h.free_port()
        server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "small_model.py")
        cls.model_log = open(os.path.join(cls.root, "model.log"), "w", encoding="utf-8")
        cls.model = subprocess.Popen([sys.executable, server, str(cls.port)], stdout=subprocess.PIPE,
                                     stderr=cls.model_log, text=True)
        if cls.model.stdout.readline().strip() != "ready":
            raise AssertionError("the model's server did not start")
        cls.coordinator = h.Coordinator(
            os.path.join(cls.root, "c"), "--lm-url", f"http://127.0.0.1:{cls.port}/v1", "--lm-model",
            "smollm2-135m-instruct", "--lm-max-tokens", "300", "--lm-first-byte-timeout", "240s", "--lm-total-timeout",
            "300s").start()
        cls.agents = [h.Agent(cls.coordinator, os.path.join(cls.root, n), n, "--replay",
                              os.path.join(h.FLEET, f"composed-{n}.json")).allow().start() for n in FLEET]
        h.wait_until("the fleet", lambda: len([d for d in cls.coordinator.json("devices").get("devices", [])
                                               if "state" in d]) == len(FLEET))

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents:
            agent.process.stop()
        cls.coordinator.process.stop()
        cls.model.terminate()
        cls.model.wait(30)
        cls.model.stdout.close()
        cls.model_log.close()
        shutil.rmtree(cls.root)

    def plan(self, kind, name):
        job = os.path.join(h.TREE, "deploy/examples", name)
        reply = self.coordinator.json("plan", kind, job, "--engine", "lm", "--timeout", "400s", timeout=420)
        plan = reply["plan"]
        self.assertEqual(plan["engine_asked"], "lm")
        usage = plan["proposal"]["usage"]
        self.assertGreaterEqual(usage["calls"], 1)
        self.assertGreater(usage["prompt_tokens"], 200)
        outcomes = {}
        for d in plan.get("decisions", []):
            outcomes[d["outcome"]] = outcomes.get(d["outcome"], 0) + 1
        print(f"{kind}: {usage['prompt_tokens']} tokens in, {usage.get('completion_tokens')} out, "
              f"{usage['seconds']:.1f} s; decisions {outcomes}; {plan['proposal'].get('failure', 'usable')}")
        return plan

    def test_federated(self):
        plan = self.plan("federated", "federated.json")
        taking = [a for a in plan["assignments"] if a["participate"]]
        self.assertEqual(len(taking), len(FLEET))
        for a in taking:
            self.assertLessEqual(a["prediction"]["memory_bytes"], a["memory_limit_bytes"])
            self.assertLessEqual(a["prediction"]["round_seconds"], a["training"]["deadline_seconds"] + 1e-6)

    def test_pipeline(self):
        plan = self.plan("pipeline", "pipeline.json")
        self.assertEqual(len(plan["pipeline"]["stages"]), 8)
        self.assertLessEqual(plan["pipeline"]["makespan_seconds"], 7200)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
