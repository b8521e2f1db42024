"""A real mlx_lm.lora on the CPU trains a tiny model from the lora.yaml that an agent stored, unedited."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness as h

HERE = os.path.dirname(os.path.abspath(__file__))


class MlxLora(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        done = h.run(sys.executable, os.path.join(HERE, "tiny_model.py"), os.path.join(self.root, "tiny"), timeout=300)
        self.parameters = int(done.stdout.split()[-1])
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agent = h.Agent(self.coordinator, os.path.join(self.root, "a"), "this-machine").allow().start()
        h.wait_until("the agent", lambda: [d for d in self.coordinator.json("devices").get("devices", [])
                                           if "state" in d])

    def tearDown(self):
        self.agent.process.stop()
        self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def job(self, **tuning):
        job = {
            "format_version": 1, "job_id": "tiny",
            "federated": {
                "model": {"config": "tiny/model/config.json",
                          "variants": [{"format": "f32", "path": os.path.join(self.root, "tiny/model")}]},
                "tuning": {"method": "lora", "rank": 4, "rank_min": 4, "layers": 2, "layers_min": 2, "sequence_length": 128,
                           "batch_size": 2, "effective_batch": 4, "optimizer": "adamw", "learning_rate": 1e-3, **tuning},
                "data": {"path": os.path.join(self.root, "tiny/data"), "examples_per_client": 64,
                         "tokens_per_example": 60},
                "round": {"rounds": 1, "local_steps_max": 6, "deadline_seconds": 600},
                # This machine is no Mac: it is planned only because the job allows it.
                "rules": {"allow_cpu": True, "unknown": "allow"},
            },
        }
        path = os.path.join(self.root, "job.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(job, f)
        return path

    def train(self, **tuning):
        self.coordinator.cli("plan", "federated", self.job(**tuning), "--wait", timeout=120)
        folder = self.agent.plan_folder("tiny")
        plan = h.read_json(os.path.join(folder, "plan.json"))
        lora = os.path.join(os.path.dirname(sys.executable), "mlx_lm.lora")
        done = subprocess.run([lora, "-c", "lora.yaml"], cwd=folder, capture_output=True, text=True, timeout=600,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        adapters = os.path.join(folder, "adapters")
        config = h.read_json(os.path.join(adapters, "adapter_config.json"))
        self.assertGreater(os.path.getsize(os.path.join(adapters, "adapters.safetensors")), 1000)
        return plan["training"], config, done.stdout

    def test_the_stored_file_trains_as_it_is(self):
        training, config, out = self.train(targets="qv", lr_schedule="cosine")
        self.assertEqual(config["iters"], training["iters"])
        self.assertEqual(config["num_layers"], training["layers"])
        self.assertEqual(config["batch_size"], training["batch_size"])
        self.assertEqual(config["grad_accumulation_steps"], training["grad_accumulation"])
        self.assertEqual(config["max_seq_length"], training["sequence_length"])
        self.assertEqual(config["grad_checkpoint"], training["grad_checkpoint"])
        self.assertEqual(config["lora_parameters"]["rank"], training["rank"])
        self.assertEqual(sorted(config["lora_parameters"]["keys"]), ["self_attn.q_proj", "self_attn.v_proj"])
        self.assertEqual(config["learning_rate"], training["learning_rate"])
        self.assertIn("Trainable parameters", out)

    def test_all_targets_and_checkpointing(self):
        training, config, _ = self.train(targets="all", grad_checkpoint=True)
        self.assertTrue(training["grad_checkpoint"])
        self.assertNotIn("keys", config["lora_parameters"])


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
