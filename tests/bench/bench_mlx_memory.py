"""Real mlx_lm.lora runs on this machine's CPU, started by an agent: how well the first measured step of a kind settles the
memory of the settings after it. The aim is 10 %; nothing is asserted."""

import json
import os
import random
import shutil
import stat
import sys
import tempfile
import unittest

import harness as h

HERE = os.path.dirname(os.path.abspath(__file__))
# batch, length, rank, layers, checkpointing; the first of each kind teaches, the others are predicted
SETTINGS = ((2, 256, 8, 4, False), (4, 256, 8, 4, False), (2, 512, 32, 4, False), (2, 512, 16, 2, False),
            (2, 256, 8, 4, True), (2, 512, 8, 4, True))
STEPS = 2  # the peak is there after the first; a 16-bit step on a CPU takes seconds


class MlxMemory(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        h.run(sys.executable, os.path.join(HERE, "../interop/tiny_model.py"), os.path.join(self.root, "tiny"), "--larger",
              timeout=300)
        rng = random.Random(2)
        for name, rows in (("train", 32), ("valid", 4)):  # longer than any length that is asked for
            with open(os.path.join(self.root, "tiny/data", name + ".jsonl"), "w", encoding="utf-8") as f:
                for _ in range(rows):
                    words = " ".join("".join(rng.choice("abcdefgh") for _ in range(5)) for _ in range(700))
                    f.write(json.dumps({"text": words}) + "\n")
        trainer = os.path.join(self.root, "trainer")
        with open(trainer, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\nexec '{sys.executable}' '{os.path.join(HERE, 'reporting_trainer.py')}'\n")
        os.chmod(trainer, os.stat(trainer).st_mode | stat.S_IXUSR)
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agent = h.Agent(self.coordinator, os.path.join(self.root, "a"), "this-machine", "--on-plan", trainer,
                             "--allow-root").allow().start()
        h.wait_until("the agent", lambda: [d for d in self.coordinator.json("devices").get("devices", [])
                                           if "state" in d])

    def tearDown(self):
        self.agent.process.stop()
        self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def job(self, batch, length, rank, layers, checkpoint):
        job = {
            "format_version": 1, "job_id": "memory",
            "federated": {
                "model": {"config": "tiny/model/config.json",
                          "variants": [{"format": "bf16", "path": os.path.join(self.root, "tiny/model")}]},
                "tuning": {"method": "lora", "rank": rank, "rank_min": rank, "layers": layers, "layers_min": layers,
                           "sequence_length": length, "sequence_length_min": length, "batch_size": batch,
                           "effective_batch": batch, "grad_checkpoint": checkpoint, "learning_rate": 1e-4},
                "data": {"path": os.path.join(self.root, "tiny/data"), "examples_per_client": 32,
                         "tokens_per_example": 1000},
                "round": {"rounds": 1, "local_steps_min": STEPS, "local_steps_max": STEPS, "deadline_seconds": 100000},
                "rules": {"allow_cpu": True, "unknown": "allow"},
            },
        }
        path = os.path.join(self.root, "job.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(job, f)
        return path

    def measured(self):
        reply = self.coordinator.json("plan", "show", "memory")
        states = {d["state"] for d in reply.get("deliveries", [])}
        if states & {"failed", "refused", "expired"}:
            raise AssertionError(f"{reply['deliveries']}\n{self.agent.process.logged()[-3000:]}")
        peaks = [m["measurement"]["peak_bytes"] for m in reply.get("measurements", [])
                 if "peak_bytes" in m["measurement"]]
        return states == {"done"} and peaks and max(peaks)

    def test_the_first_steps_settle_the_memory_of_the_settings_after_it(self):
        taught, worst = set(), 0.0
        print("\nbatch length rank layers checkpoint  predicted  measured  ratio")
        for setting in SETTINGS:
            plan = self.coordinator.json("plan", "federated", self.job(*setting), timeout=120)["plan"]
            p = plan["assignments"][0]["prediction"]
            factor = {c["key"]: c for c in self.coordinator.json("calibration").get("calibrations", [])}.get(
                p["calibration_key"], {}).get("activation_factor", 1.0)
            predicted = p["fixed_bytes"] + factor * p["activation_bytes"]  # what MLX counts: no runtime
            peak = h.wait_until(f"the run of {setting}", self.measured, 600)
            first = p["calibration_key"] not in taught
            taught.add(p["calibration_key"])
            print(f"{setting[0]:5} {setting[1]:6} {setting[2]:4} {setting[3]:6} {setting[4]!s:10} "
                  f"{predicted / 1e6:7.1f} MB {peak / 1e6:6.1f} MB {predicted / peak:6.3f}"
                  + ("  never measured before: pessimistic" if first else ""))
            if not first:
                worst = max(worst, abs(predicted / peak - 1))
        print(f"worst of the settings after the first: {worst:.1%}; wanted 10 %")
        self.assertTrue(all(c["memory_samples"] > 0 for c in self.coordinator.json("calibration")["calibrations"]))


if __name__ == "__main__":
    unittest.main()
