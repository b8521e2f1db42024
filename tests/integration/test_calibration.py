"""What a Mac measures moves the next plan's numbers by the stated amount; kept over a restart, and importable."""
import json
import os
import shutil
import stat
import tempfile
import unittest

import harness as h

MAC = os.path.join(h.FLEET, "composed-m4pro-48gb.json")
JOB = os.path.join(h.TREE, "deploy/examples/federated.json")
# A trainer that reports one step: as many seconds and as much memory as a file beside it says.
TRAINER = """#!/usr/bin/env python3
import json, os, sys
said = json.load(open({said!r}))
with open(os.environ["ESPALIER_EVENTS"], "a") as f:
    for event in said:
        f.write(json.dumps(event) + "\\n")
"""


class Calibration(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        self.said = os.path.join(self.root, "said.json")
        self.say([])
        trainer = os.path.join(self.root, "trainer")
        with open(trainer, "w", encoding="utf-8") as f:
            f.write(TRAINER.format(said=self.said))
        os.chmod(trainer, os.stat(trainer).st_mode | stat.S_IXUSR)
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agent = h.Agent(self.coordinator, os.path.join(self.root, "a"), "mac", "--replay", MAC, "--on-plan", trainer,
                             "--allow-root").allow().start()
        self.online()

    def tearDown(self):
        self.agent.process.stop()
        self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def online(self):
        h.wait_until("the Mac", lambda: [d for d in self.coordinator.json("devices").get("devices", [])
                                         if "state" in d and d["liveness"] == "online"])

    def say(self, events):
        with open(self.said, "w", encoding="utf-8") as f:
            json.dump(events, f)

    def ended(self):
        h.wait_until("the trainer's end", lambda: [
            d for d in self.coordinator.json("plan", "show", "clinic-notes").get("deliveries", []) if d["state"] == "done"])

    def plan(self, *more):
        return self.coordinator.json("plan", "federated", JOB, *more, timeout=120)["plan"]["assignments"][0]

    def learnt(self):
        return self.coordinator.json("calibration").get("calibrations", [])

    def why(self):
        return self.coordinator.cli("plan", "why", "clinic-notes", "mac").stdout

    def test_a_measurement_moves_the_next_plan_by_the_stated_amount(self):
        before = self.plan("--dry-run")
        p = before["prediction"]
        self.assertEqual(self.learnt(), [])
        self.assertTrue(p["calibration_key"].startswith("metal/Apple M4 Pro/llama-"), p)
        # a fifth slower than predicted, activations a tenth smaller; a validation pass teaches nothing
        self.say([{"event": "val", "iteration": 1, "step_seconds": 100 * p["micro_seconds"]},
                  {"event": "train", "iteration": 1, "step_seconds": 1.2 * p["micro_seconds"],
                   "peak_bytes": int(p["fixed_bytes"] + 0.9 * p["activation_bytes"])}])
        self.plan()
        self.assertIn("was never measured on Apple M4 Pro", self.why().replace("\n", " ").replace("  ", " "))
        learnt = h.wait_until("the lesson", self.learnt)
        self.assertEqual([c["key"] for c in learnt], [p["calibration_key"]])
        self.assertAlmostEqual(learnt[0]["step_factor"], 1.2, places=6)
        self.assertAlmostEqual(learnt[0]["activation_factor"], 0.9, places=6)
        self.assertEqual((learnt[0]["step_samples"], learnt[0]["memory_samples"]), (1, 1))
        self.say([])
        after = self.plan()
        q = after["prediction"]
        self.assertEqual({k: v for k, v in after["training"].items() if k in ("batch_size", "grad_checkpoint")},
                         {k: v for k, v in before["training"].items() if k in ("batch_size", "grad_checkpoint")})
        self.assertEqual(q["micro_seconds"], p["micro_seconds"])  # what is learnt against stays
        self.assertAlmostEqual(q["step_seconds"] / p["step_seconds"], 1.2, places=6)
        self.assertAlmostEqual((p["memory_bytes"] - q["memory_bytes"]) / p["activation_bytes"], 0.1, places=5)
        self.assertIn("activations x 0.900 (1 peaks), step time x 1.200 (1 readings)",
                      " ".join(self.why().split()))
        self.ended()
        # kept over a kill
        self.coordinator.process.kill()
        self.coordinator.restart()
        self.assertEqual(self.learnt(), learnt)
        self.online()
        self.assertEqual(self.plan("--dry-run")["prediction"]["memory_bytes"], q["memory_bytes"])
        # one mad reading moves it by 15 % at most
        self.say([{"event": "train", "iteration": 1, "step_seconds": 15 * p["micro_seconds"]}])
        self.plan()
        now = h.wait_until("the mad reading", lambda: [c for c in self.learnt() if c["step_samples"] == 2])
        self.assertAlmostEqual(now[0]["step_factor"], 1.2 * (1 + 0.3 * 0.5), places=6)
        self.assertEqual(now[0]["outliers"], 1)

    def test_runs_are_imported(self):
        runs = os.path.join(h.TREE, "tests/data/mlx_cpu_lora_runs.csv")
        reply = self.coordinator.json("calibration", "import", runs)
        self.assertEqual(reply["learnt"], 10)
        self.assertEqual([c["key"] for c in reply["calibrations"]],
                         ["cpu/*/llama-99496704/lora", "cpu/*/llama-99496704/lora+checkpoint"])
        self.assertEqual(self.learnt(), reply["calibrations"])
        for width in ("80", "120"):
            os.environ["COLUMNS"] = width
            page = self.coordinator.cli("calibration").stdout
            self.assertIn("lora+checkpoint", page)
            self.assertTrue(all(len(line) <= int(width) for line in page.splitlines()), page)
        bad = os.path.join(self.root, "bad.csv")
        with open(bad, "w", encoding="utf-8") as f:
            f.write("hidden,layers\n1,2\n")
        done = self.coordinator.cli("calibration", "import", bad, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 1: no column heads", done.stderr)
        with open(runs, encoding="utf-8") as f:
            heading = f.readline()
        with open(bad, "w", encoding="utf-8") as f:
            f.write(heading)
            f.write("x,m,768,8,12,4,64,768,256,2048,32000,0,bfloat16,99496704,all,lora,8,9,1,256,255,0,0,3,0.3,,,,1,1,1\n")
        done = self.coordinator.cli("calibration", "import", bad, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("at most the model's 8", done.stderr)
        self.assertEqual(self.learnt(), reply["calibrations"])


if __name__ == "__main__":
    unittest.main()
