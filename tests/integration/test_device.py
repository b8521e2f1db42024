"""LoRA and image generation for one device, end to end: a replayed recording of a real Mac, both engines."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness as h

FAKE = os.path.join(h.TREE, "tests/support/fake_lm.py")
EXAMPLES = os.path.join(h.TREE, "deploy/examples")
MACHINE = os.path.join(h.MACHINES, "m2max-32gb-2.json")  # what an M2 Max with 32 GB printed; no live state

LORA_ANSWER = """[[ ## reasoning ## ]]
A small rank is enough for a tone of voice.

[[ ## lora_config ## ]]
{"rank": 8, "alpha": 64, "targets": "all", "layers": 36}

[[ ## training_strategy ## ]]
{"batch_size": 4096, "learning_rate": 2e-4, "lr_schedule": "cosine", "warmup_steps": 10}

[[ ## expected_performance ## ]]
{"memory_bytes": 1000, "tokens_per_second": 1e9}

[[ ## completed ## ]]
"""
DIFFUSION_ANSWER = """[[ ## reasoning ## ]]
Fewer steps do.

[[ ## sampling_strategy ## ]]
{"sampler": "dpmpp_2m", "steps": 25}

[[ ## optimization_strategy ## ]]
{"model_format": "bf16", "width": 4096}

[[ ## completed ## ]]
"""


def example(folder, name):
    """The example job, letting in a Mac whose live state is unknown."""
    job = h.read_json(os.path.join(EXAMPLES, name + ".json"))
    part = job[name]
    part.setdefault("rules", {})["unknown"] = "allow"
    if "config" in part["model"]:
        part["model"]["config"] = os.path.join(EXAMPLES, part["model"]["config"])
    path = os.path.join(folder, name + ".json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(job, f)
    return path, job["job_id"]


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.fakes, cls.urls, cls.logs = [], {}, {}
        for kind, text in (("lora", LORA_ANSWER), ("diffusion", DIFFUSION_ANSWER)):
            reply, log = os.path.join(cls.root, kind + ".txt"), os.path.join(cls.root, kind + ".jsonl")
            with open(reply, "w", encoding="utf-8") as f:
                f.write(text)
            fake = subprocess.Popen([sys.executable, FAKE, "--reply", reply, "--log", log], stdout=subprocess.PIPE,
                                    text=True)
            cls.fakes.append(fake)
            cls.urls[kind] = f"http://127.0.0.1:{fake.stdout.readline().split()[1]}/ok/v1"
            cls.logs[kind] = log

    @classmethod
    def tearDownClass(cls):
        for fake in cls.fakes:
            fake.terminate()
            fake.wait(20)
            fake.stdout.close()
        shutil.rmtree(cls.root)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.root)
        self.started = []

    def tearDown(self):
        for process in reversed(self.started):
            process.process.stop()

    def lab(self, *options):
        """A coordinator, the recorded Mac, and a small one that nothing here is for."""
        coordinator = h.Coordinator(os.path.join(self.folder, "c"), *options).start()
        self.started.append(coordinator)
        for name, machine in (("alices-studio", MACHINE), ("bobs-air", os.path.join(h.FLEET, "composed-m1-8gb.json"))):
            agent = h.Agent(coordinator, os.path.join(self.folder, name), name, "--replay", machine)
            self.started.append(agent.allow().start())
        h.wait_until("the fleet", lambda: len([d for d in coordinator.json("devices").get("devices", [])
                                               if "profile" in d and d["liveness"] == "online"]) == 2)
        return coordinator, self.started[1], self.started[2]

    def check_one_device(self, plan, kind):
        (a,) = plan["assignments"]
        self.assertEqual((plan["kind"], a["kind"]), (kind, kind))
        self.assertEqual(a["device_name"], "alices-studio")
        self.assertEqual(plan[kind]["device_id"], a["device_id"])
        self.assertTrue(a["participate"])
        self.assertLessEqual(a["prediction"]["memory_bytes"], a["memory_limit_bytes"])
        self.assertEqual([c["chip"] for c in plan["classes"]], ["Apple M2 Max"])
        return a

    def test_lora_is_planned_delivered_and_applied(self):
        coordinator, agent, other = self.lab()
        path, job = example(self.folder, "lora")
        dry = coordinator.json("plan", "lora", path, "--device", "alices-studio", "--dry-run")["plan"]
        self.assertNotIn("plan_id", dry)
        self.assertEqual(coordinator.json("plans").get("plans", []), [])

        reply = coordinator.json("plan", "lora", path, "--device", "alices-studio", "--wait")
        a = self.check_one_device(reply["plan"], "lora")
        self.assertEqual([d["state"] for d in reply["deliveries"]], ["applied"])
        for field in ("model_format", "rank", "layers", "batch_size", "sequence_length"):
            self.assertEqual(a["training"][field], dry["assignments"][0]["training"][field])
        self.assertGreater(a["prediction"]["tokens_per_second"], 0)
        self.assertGreater(reply["plan"]["lora"]["training_seconds"], 0)
        held = h.read_json(os.path.join(agent.plan_folder(job), "plan.json"))
        self.assertEqual(held["training"], a["training"])
        with open(os.path.join(agent.plan_folder(job), "lora.yaml"), encoding="utf-8") as f:
            yaml = f.read()
        self.assertIn(f"rank: {a['training']['rank']}\n", yaml)
        self.assertIn(f"iters: {a['training']['iters']}\n", yaml)
        self.assertFalse(os.path.exists(other.plan_folder(job)))

        plan_id = reply["plan"]["plan_id"]
        self.assertIn("rank 16", coordinator.cli("plan", "show", job).stdout)
        self.assertIn("lora_config.rank", coordinator.cli("plan", "show", job, "--proposal").stdout)
        why = coordinator.cli("plan", "why", job, "alices-studio").stdout
        self.assertIn("grad_checkpoint", why)
        self.assertIn("of what it may use", why)
        coordinator.process.kill()  # a plan survives kill -9
        coordinator.restart()
        kept = coordinator.json("plan", "show", job)["plan"]
        self.assertEqual(kept["lora"], reply["plan"]["lora"])
        coordinator.cli("plan", "cancel", plan_id)
        self.assertEqual(coordinator.json("plan", "show", plan_id)["plan"]["state"], "cancelled")

    def test_images_are_planned_delivered_and_applied(self):
        coordinator, agent, _ = self.lab()
        path, job = example(self.folder, "diffusion")
        reply = coordinator.json("plan", "diffusion", path, "--device", "alices-studio", "--wait")
        a = self.check_one_device(reply["plan"], "diffusion")
        self.assertEqual([d["state"] for d in reply["deliveries"]], ["applied"])
        made = a["image_generation"]
        self.assertLessEqual(made["steps"], 30)
        self.assertGreaterEqual(made["steps"], 20)
        self.assertLessEqual(reply["plan"]["diffusion"]["image_seconds"], 300)
        for word in ("flop_source", "seconds_source"):
            self.assertTrue(reply["plan"]["diffusion"][word])
        folder = agent.plan_folder(job)
        self.assertEqual(h.read_json(os.path.join(folder, "plan.json"))["image_generation"], made)
        self.assertFalse(os.path.exists(os.path.join(folder, "lora.yaml")))
        self.assertIn("sampling_strategy.steps", coordinator.cli("plan", "show", job, "--proposal").stdout)
        self.assertIn("vae_tiling", coordinator.cli("plan", "why", job, "alices-studio").stdout)

    def check_prompt(self, kind, plan):
        with open(self.logs[kind], encoding="utf-8") as f:
            prompt = f.read()
        self.assertIn("Apple M2 Max", prompt)
        for secret in ("alices-studio", "bobs-air", plan["assignments"][0]["device_id"], plan["job_id"], self.folder,
                       "mlx-community", "stabilityai"):
            self.assertNotIn(secret, prompt)

    def test_a_model_s_word_moves_a_training(self):
        coordinator, _, _ = self.lab("--lm-url", self.urls["lora"], "--lm-model", "fake")
        path, _ = example(self.folder, "lora")
        plan = coordinator.json("plan", "lora", path, "--device", "alices-studio", "--engine", "lm")["plan"]
        a = self.check_one_device(plan, "lora")
        self.assertEqual(a["training"]["rank"], 8)
        self.assertEqual(a["training"]["scale"], 8)
        self.assertEqual(a["training"]["lr_schedule"], "cosine")
        what = {d["field"]: d for d in plan["decisions"]}
        self.assertEqual(what["lora_config.rank"]["outcome"], "used")
        self.assertEqual(what["lora_config.rank"]["engine"], "lm")
        self.assertEqual(what["training_strategy.batch_size"]["outcome"], "repaired")
        self.assertEqual(what["expected_performance.memory_bytes"]["outcome"], "rejected")
        self.check_prompt("lora", plan)

    def test_a_model_s_word_moves_images(self):
        coordinator, _, _ = self.lab("--lm-url", self.urls["diffusion"], "--lm-model", "fake")
        path, _ = example(self.folder, "diffusion")
        plan = coordinator.json("plan", "diffusion", path, "--device", "alices-studio", "--engine", "lm")["plan"]
        made = self.check_one_device(plan, "diffusion")["image_generation"]
        self.assertEqual((made["steps"], made["sampler"]), (25, "dpmpp_2m"))
        self.assertEqual(made["width"], 1024)
        what = {d["field"]: d for d in plan["decisions"]}
        self.assertEqual(what["optimization_strategy.model_format"]["outcome"], "rejected")
        self.assertEqual(what["optimization_strategy.width"]["outcome"], "repaired")
        self.check_prompt("diffusion", plan)

    def test_without_an_answer_the_planner_s_own_stands(self):
        coordinator, _, _ = self.lab("--lm-url", f"http://127.0.0.1:{h.free_port()}/v1", "--lm-model", "fake",
                                     "--lm-connect-timeout", "2s", "--lm-total-timeout", "4s")
        for kind in ("lora", "diffusion"):
            path, _ = example(self.folder, kind)
            plan = coordinator.json("plan", kind, path, "--device", "alices-studio", "--engine", "lm",
                                    "--dry-run")["plan"]
            self.check_one_device(plan, kind)
            self.assertTrue(plan["proposal"]["failure"])
            self.assertTrue(any("the model was asked, but" in w for w in plan["warnings"]))

    def test_wrong_words_are_refused_by_name(self):
        coordinator, _, _ = self.lab()
        path, _ = example(self.folder, "lora")
        job = h.read_json(path)
        job["lora"]["data"]["exampels"] = 3
        with open(path, "w", encoding="utf-8") as f:
            json.dump(job, f)
        done = coordinator.cli("plan", "lora", path, "--device", "alices-studio", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("lora.data.exampels", done.stderr)
        path, _ = example(self.folder, "diffusion")
        done = coordinator.cli("plan", "diffusion", path, "--device", "nobody", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody, the fleet has no such device", done.stderr)
        done = coordinator.cli("plan", "diffusion", path, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--device", done.stderr)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
