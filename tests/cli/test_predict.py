"""`espalier predict`: without a coordinator from machine files of every form, and for a device of a fleet."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import harness as h

CONFIGS = os.path.join(h.TREE, "tests/data/configs")
NUMBERS = ("memory_bytes", "memory_limit_bytes", "step_seconds", "train_tokens_per_s", "prefill_tokens_per_s",
           "decode_tokens_per_s")


class Predict(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, value):
        path = os.path.join(self.folder.name, "machine.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(value if isinstance(value, str) else json.dumps(value))
        return path

    def run_it(self, *more, model="qwen3-4b"):
        return h.run(h.program("espalier"), "predict", "--model", os.path.join(CONFIGS, model + ".json"), *more,
                     check=False)

    def ask(self, machine, *more, model="qwen3-4b", format="q4g64"):
        done = self.run_it("--format", format, "--machine", self.file(machine), "--json", *more, model=model)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_chip_cores_and_memory_are_enough(self):
        a = self.ask({"chip": "Apple M4 Max", "gpu_cores": 40, "memory_gb": 64}, "--method", "lora", "--targets",
                     "all", "--rank", "8", "--layers", "16", "--batch", "1", "--seq", "1024", "--checkpoint")
        for name in NUMBERS:
            self.assertGreater(a[name], 0, name)
        self.assertIs(a["fits"], True)
        self.assertEqual(a["binding_constraint"], "none")
        self.assertEqual(a["memory_of"], "training")
        for name in NUMBERS[2:]:
            self.assertEqual(a["rates"][name]["source"], "table")
            self.assertGreater(a["rates"][name]["expected_error"], 0)
            self.assertIn("TFLOP/s published", a["rates"][name]["why"])

    def test_every_form_of_a_machine_says_the_same(self):
        plain = self.ask({"chip": "Apple M1 Max", "gpu_cores": 32, "memory_gb": 64})
        for other in ({"chip": "Apple M1 Max", "gpu_cores": 32, "memory_bytes": 64 << 30},
                      {"stated": {"chip": "Apple M1 Max", "gpu_cores": 32, "memory_gb": 64}},
                      {"id": "x", "kind": "stated",
                       "stated": {"chip": "Apple M1 Max", "gpu_cores": 32, "memory_gb": 64}},
                      {"device_id": "d", "liveness": "online",
                       "profile": {"origin": "mac", "chip": "Apple M1 Max", "gpu_cores": 32, "memory_bytes": 64 << 30,
                                   "metal": {"name": "Apple M1 Max"}}}):
            a = self.ask(other)
            for name in ("memory_bytes", "memory_limit_bytes", "decode_tokens_per_s", "prefill_tokens_per_s"):
                self.assertEqual(a[name], plain[name], (other, name))

    def test_recorded_and_composed_machines_are_taken(self):
        for path in (os.path.join(h.MACHINES, "m4max-64gb-1.json"), os.path.join(h.MACHINES, "m1-8gb-1.json"),
                     *(os.path.join(h.FLEET, n) for n in sorted(os.listdir(h.FLEET)) if n.endswith(".json"))):
            done = self.run_it("--format", "q4g64", "--machine", path, "--json")
            self.assertEqual(done.returncode, 0, (path, done.stderr))
            self.assertIsNotNone(json.loads(done.stdout)["decode_tokens_per_s"], path)

    def test_what_is_left_out_cannot_be_said(self):
        memory = self.ask({"memory_gb": 16})
        self.assertIs(memory["fits"], True)
        self.assertIsNone(memory["decode_tokens_per_s"])
        self.assertIn("chip is unknown", memory["rates"]["decode_tokens_per_s"]["why"])
        chip = self.ask({"chip": "Apple M2"})
        self.assertIsNone(chip["fits"])
        self.assertIsNone(chip["memory_limit_bytes"])
        self.assertIsNone(chip["binding_constraint"])
        self.assertGreater(chip["decode_tokens_per_s"], 0)
        new = self.ask({"chip": "Apple M7 Max", "gpu_cores": 40, "memory_gb": 128})
        self.assertEqual(new["rates"]["decode_tokens_per_s"]["source"], "derived")

    def test_what_does_not_fit_names_memory(self):
        a = self.ask({"chip": "Apple M1", "gpu_cores": 8, "memory_gb": 8}, model="llama-3-70b")
        self.assertIs(a["fits"], False)
        self.assertEqual(a["binding_constraint"], "memory")
        self.assertGreater(a["memory_bytes"], a["memory_limit_bytes"])

    def test_llama_cpp_answers_only(self):
        a = self.ask({"chip": "Apple M4 Max", "gpu_cores": 40, "memory_gb": 64}, "--engine", "llama.cpp",
                     model="llama-7b", format="q4_k_m")
        self.assertIsNone(a["step_seconds"])
        self.assertGreater(a["prefill_tokens_per_s"], a["decode_tokens_per_s"])
        # MLX and llama.cpp differ
        b = self.ask({"chip": "Apple M4 Max", "gpu_cores": 40, "memory_gb": 64}, model="llama-7b", format="bf16")
        c = self.ask({"chip": "Apple M4 Max", "gpu_cores": 40, "memory_gb": 64}, "--engine", "llama.cpp",
                     model="llama-7b", format="bf16")
        self.assertNotEqual(b["prefill_tokens_per_s"], c["prefill_tokens_per_s"])

    def test_people_get_a_page_that_fits(self):
        machine = self.file({"chip": "Apple M1", "gpu_cores": 8, "memory_gb": 8})
        for width in (80, 120):
            done = h.run(h.program("espalier"), "predict", "--model", os.path.join(CONFIGS, "llama-3.1-8b.json"),
                         "--format", "q4g64", "--machine", machine, "--rank", "8",
                         env={**os.environ, "COLUMNS": str(width)})
            self.assertIn("it does not fit", done.stdout)
            self.assertIn("give or take", done.stdout)
            self.assertTrue(all(len(line) <= width for line in done.stdout.splitlines()), done.stdout)

    def test_wrong_input_is_refused_by_name(self):
        good = self.file({"chip": "Apple M1"})
        for words, said in ((("--format", "q4_k_m", "--machine", good), "--format: format: \"q4_k_m\", wanted"),
                            (("--format", "q4g64"), "one of --device DEVICE and --machine"),
                            (("--machine", good), "--format is missing"),
                            (("--format", "q4g64", "--machine", good, "--rank", "0"), "--rank is \"0\""),
                            (("--format", "q4g64", "--machine", good, "--layers", "99"), "at most the model's 36"),
                            (("--format", "q4g64", "--machine", good, "--engine", "lm"), "wanted mlx or llama.cpp"),
                            (("--format", "q4g64", "--machine", "/nowhere"), "/nowhere")):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 2, (words, done.stderr))
            self.assertIn(said, done.stderr)
        for text, said in (("{", "1:"), ("[]", "machine"), ("{\"chip\": 7}", "chip"), ("{}", "neither chip"),
                           ("{\"chip\": \"Apple M1\", \"colour\": \"red\"}", "colour"),
                           ("{\"chip\": \"Apple M1\", \"memory_gb\": -1}", "memory_gb"),
                           ("{\"stated\": 3}", "stated")):
            done = self.run_it("--format", "q4g64", "--machine", self.file(text))
            self.assertEqual(done.returncode, 2, (text, done.stderr))
            self.assertIn(said, done.stderr)
        done = h.run(h.program("espalier"), "predict", "--format", "q4g64", "--machine", good, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--model", done.stderr)
        bad = os.path.join(self.folder.name, "config.json")
        with open(bad, "w", encoding="utf-8") as f:
            f.write('{"model_type": "llama"}')
        done = h.run(h.program("espalier"), "predict", "--model", bad, "--format", "q4g64", "--machine", good,
                     check=False)
        self.assertIn("num_hidden_layers: missing", done.stderr)

    def test_a_device_of_the_fleet(self):
        c = h.Coordinator(os.path.join(self.folder.name, "c")).start()
        self.addCleanup(c.process.stop)
        agent = h.Agent(c, os.path.join(self.folder.name, "a"), "lab-mac", "--replay", os.path.join(
            h.FLEET, "composed-m4max-64gb.json")).allow().start()
        self.addCleanup(agent.process.stop)
        h.wait_until("the profile", lambda: c.json("devices")["devices"][0].get("state"))
        words = ("--model", os.path.join(CONFIGS, "qwen3-4b.json"), "--format", "q4g64")
        a = c.json("predict", *words, "--device", "lab-mac")
        self.assertEqual(a["machine"]["chip"], "Apple M4 Max")
        self.assertGreater(a["decode_tokens_per_s"], 0)
        done = c.cli("predict", *words, "--device", "nobody", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody", done.stderr)


if __name__ == "__main__":
    unittest.main()
