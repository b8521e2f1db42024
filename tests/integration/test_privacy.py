"""The privacy budget of a job: charged when a plan is stored, once per round, never given back."""

import json
import os
import shutil
import sys
import tempfile
import unittest

import harness as h


class Privacy(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agent = h.Agent(self.coordinator, os.path.join(self.root, "a"), "studio", "--replay",
                             os.path.join(h.FLEET, "composed-m2ultra-192gb.json")).allow().start()
        h.wait_until("the device", lambda: [d for d in self.coordinator.json("devices").get("devices", [])
                                            if "state" in d])

    def tearDown(self):
        self.agent.process.stop()
        self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def plan(self, rounds, epsilon=8, *flags, check=True):
        with open(os.path.join(h.TREE, "deploy/examples/federated.json"), encoding="utf-8") as f:
            job = json.load(f)
        job["federated"]["model"]["config"] = os.path.join(h.TREE, "deploy/examples/models/llama-3.2-1b/config.json")
        job["federated"]["round"]["rounds"] = rounds
        job["federated"]["privacy"] = {"epsilon": epsilon, "delta": 1e-5}
        path = os.path.join(self.root, "job.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(job, f)
        return self.coordinator.cli("plan", "federated", path, *flags, check=check)

    def test_the_ledger_survives_and_refuses(self):
        self.plan(400, 8, "--dry-run")  # a dry run is free, whatever it would cost
        self.plan(20)
        self.plan(20)  # planned again: the same rounds, no second charge
        refused = self.plan(40, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("rounds 1 to 40 would bring job clinic-notes to", refused.stderr)
        self.assertIn("is spent and is not given back", refused.stderr)
        newest = self.coordinator.json("plans")["plans"][0]["plan_id"]
        self.coordinator.cli("plan", "cancel", newest)
        self.coordinator.process.kill()
        self.coordinator.start()
        h.wait_until("the device again", lambda: [d for d in self.coordinator.json("devices").get("devices", [])
                                                  if d.get("liveness") == "online"])
        refused = self.plan(20, 4, check=False)
        self.assertIn("the target is 4", refused.stderr)
        self.plan(20)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
