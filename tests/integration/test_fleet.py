"""A real coordinator and fifty real agents over TCP with CURVE: reported, planned, delivered, measured."""

import os
import shutil
import stat
import sys
import tempfile
import unittest

import harness as h

AGENTS = 50


def machines():
    """Fifty files: the composed fleet first, then recorded machines, whatever subset of facts they have."""
    composed = [os.path.join(h.FLEET, n) for n in sorted(os.listdir(h.FLEET)) if n.endswith(".json")]
    recorded = [os.path.join(h.MACHINES, n) for n in sorted(os.listdir(h.MACHINES)) if n.endswith(".json")]
    return (composed + recorded)[:AGENTS]


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.coordinator = h.Coordinator(os.path.join(cls.root, "c")).start()
        cls.agents = []
        key = cls.coordinator.key
        marker = os.path.join(cls.root, "command.sh")
        with open(marker, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n"
                    "echo '{\"event\": \"train\", \"iteration\": 10, \"train_loss\": 2.5, \"step_seconds\": 0.25, "
                    "\"tokens_per_second\": 1000, \"peak_memory\": 3.5}' >> \"$ESPALIER_EVENTS\"\n"
                    "echo started >> \"$ESPALIER_PLAN_DIR/ran\"\n")
        os.chmod(marker, 0o755)
        for i, machine in enumerate(machines()):
            options = ["--replay", machine]
            if i == 0:
                options += ["--on-plan", marker, "--allow-root"]
            agent = h.Agent(cls.coordinator, os.path.join(cls.root, f"a{i}"), f"mac-{i:02d}", *options)
            cls.agents.append(agent.allow().start(key))
        h.wait_until(f"{AGENTS} devices online",
                     lambda: cls.coordinator.json("status").get("devices_online") == AGENTS)
        h.wait_until("every profile and state", cls.all_reported)

    @classmethod
    def all_reported(cls):
        devices = cls.coordinator.json("devices")["devices"]
        return len(devices) == AGENTS and all("profile" in d and "state" in d for d in devices)

    @classmethod
    def tearDownClass(cls):
        for agent in cls.agents:
            agent.process.child.terminate()
        for agent in cls.agents:
            agent.process.stop()
        cls.coordinator.process.stop()
        shutil.rmtree(cls.root)

    def devices(self):
        return {d["profile"]["name"]: d for d in self.coordinator.json("devices")["devices"]}

    def test_1_what_was_recorded_is_what_the_coordinator_knows(self):
        devices = self.devices()
        for i, machine in enumerate(machines()):
            recorded = h.read_json(machine)
            profile = devices[f"mac-{i:02d}"]["profile"]
            self.assertEqual(profile["origin"], "composed" if recorded["kind"] == "composed" else "recorded")
            brand = recorded.get("sysctl", {}).get("machdep.cpu.brand_string")
            if brand:
                self.assertEqual(profile["chip"], brand)
            if "hw.memsize" in recorded.get("sysctl", {}):
                self.assertEqual(profile["memory_bytes"], recorded["sysctl"]["hw.memsize"])
            for unknown in profile.get("unknown", []):
                self.assertTrue(unknown["reason"])
                self.assertNotIn(unknown["field"], profile)

    def test_2_every_client_gets_its_own_plan(self):
        job = os.path.join(h.TREE, "deploy/examples/federated.json")
        self.coordinator.cli("plan", "federated", job, "--wait", timeout=120)
        reply = self.coordinator.json("plan", "show", "clinic-notes")
        plan = reply["plan"]
        self.assertEqual(len(plan["assignments"]), AGENTS)
        taking = [a for a in plan["assignments"] if a["participate"]]
        left_out = [a for a in plan["assignments"] if not a["participate"]]
        self.assertGreaterEqual(len(taking), 8)
        for a in left_out:
            self.assertTrue(a["reason"], a)
        for a in taking:
            self.assertLessEqual(a["prediction"]["memory_bytes"], a["training"]["memory_limit_bytes"])
            self.assertLessEqual(a["prediction"]["round_seconds"], a["training"]["deadline_seconds"])
        self.assertGreater(len({(a["training"]["batch_size"], a["training"]["local_steps"],
                                 a["training"]["model_format"]) for a in taking}), 3)
        by_id = {d["device_id"]: d for d in self.coordinator.json("devices")["devices"]}
        agents = {a.name: a for a in self.agents}
        for a in taking:
            agent = agents[by_id[a["device_id"]]["profile"]["name"]]
            stored = h.read_json(os.path.join(agent.plan_folder("clinic-notes"), "plan.json"))
            self.assertEqual(stored["training"], a["training"])
            self.assertEqual(stored["generation"], a["generation"])
            self.assertTrue(os.path.exists(os.path.join(agent.plan_folder("clinic-notes"), "lora.yaml")))
        self.assertEqual({d["device_id"] for d in reply["deliveries"]}, {a["device_id"] for a in taking})

    def test_3_what_a_command_measured_shows_with_the_plan(self):
        first = self.agents[0]

        def measured():
            reply = self.coordinator.json("plan", "show", "clinic-notes")
            return [m for m in reply.get("measurements", []) if m["measurement"].get("iteration") == 10] and reply

        reply = h.wait_until("the measurement of mac-00", measured)
        done = h.wait_until("mac-00 done", lambda: [
            d for d in self.coordinator.json("plan", "show", "clinic-notes")["deliveries"]
            if d["state"] == "done" and d["device_name"] == first.name])
        self.assertEqual(done[0]["exit_code"], 0)
        found = [m["measurement"] for m in reply["measurements"] if m["measurement"].get("iteration") == 10]
        self.assertEqual(len(found), 1)
        self.assertAlmostEqual(found[0]["loss"], 2.5)
        self.assertAlmostEqual(found[0]["step_seconds"], 0.25)
        self.assertEqual(found[0]["peak_bytes"], 3500000000)
        ran = open(os.path.join(first.plan_folder("clinic-notes"), "ran"), encoding="utf-8").read()
        self.assertEqual(ran, "started\n")

    def test_4_a_pipeline_on_the_same_fleet(self):
        self.coordinator.cli("plan", "pipeline", os.path.join(h.TREE, "deploy/examples/pipeline.json"), "--wait",
                             timeout=120)
        plan = self.coordinator.json("plan", "show", "notes-pipeline")["plan"]
        stages = {s["stage"]: s for s in plan["pipeline"]["stages"]}
        self.assertEqual(set(stages), {"load", "clean", "embed", "train-notes", "train-letters", "evaluate", "quantise",
                                       "serve"})
        for before, after in (("load", "clean"), ("clean", "train-notes"), ("train-letters", "evaluate"), ("quantise", "serve")):
            self.assertLessEqual(stages[before]["finish_seconds"], stages[after]["start_seconds"] + 1e-9)
        self.assertLessEqual(plan["pipeline"]["makespan_seconds"], plan["pipeline"]["single_device_seconds"] + 1e-9)

    def test_5_a_new_plan_of_the_job_supersedes_the_old_one(self):
        before = self.coordinator.json("plan", "show", "clinic-notes")["plan"]
        self.coordinator.cli("plan", "federated", os.path.join(h.TREE, "deploy/examples/federated.json"), "--wait",
                             timeout=120)
        after = self.coordinator.json("plan", "show", "clinic-notes")["plan"]
        self.assertNotEqual(before["plan_id"], after["plan_id"])
        old = {a["device_id"]: a["generation"] for a in before["assignments"] if a["participate"]}
        for a in after["assignments"]:
            if a["participate"] and a["device_id"] in old:
                self.assertGreater(a["generation"], old[a["device_id"]])
        states = {p["plan_id"]: p["state"] for p in self.coordinator.json("plans")["plans"]}
        self.assertEqual(states[before["plan_id"]], "superseded")
        self.assertEqual(states[after["plan_id"]], "active")

    def test_5b_a_plan_is_read_in_pages(self):
        whole = self.coordinator.json("plan", "show", "clinic-notes")
        tool = h.Tool(f"ipc://{self.coordinator.socket}")
        self.addCleanup(tool.close)
        assignments, deliveries, after, pages = [], [], "", 0
        while True:
            more = {"after": after} if after else {}
            reply = tool.ask("plan_get", plan_id="clinic-notes", limit=7, **more).plan
            self.assertLessEqual(len(reply.plan.assignments), 7)
            assignments += [a.device_id for a in reply.plan.assignments]
            deliveries += [d.device_id for d in reply.deliveries]
            pages += 1
            after = reply.next
            if not after:
                break
        self.assertEqual(pages, -(-AGENTS // 7))
        self.assertEqual(assignments, [a["device_id"] for a in whole["plan"]["assignments"]])
        self.assertEqual(deliveries, [d["device_id"] for d in whole["deliveries"]])

    def test_6_a_dry_run_stores_and_sends_nothing(self):
        count = len(self.coordinator.json("plans")["plans"])
        reply = self.coordinator.json("plan", "federated", os.path.join(h.TREE, "deploy/examples/federated.json"),
                                      "--dry-run")
        self.assertEqual(reply["plan"]["state"], "dry_run")
        self.assertEqual(len(self.coordinator.json("plans")["plans"]), count)

    def test_7_keys_and_databases_are_their_owners_only(self):
        for agent in self.agents[:3]:
            for name in os.listdir(agent.folder):
                if name.endswith(".key"):
                    self.assertEqual(stat.S_IMODE(os.stat(os.path.join(agent.folder, name)).st_mode), 0o600)
        keys = os.path.join(self.coordinator.folder, "coordinator.keys")
        self.assertEqual(stat.S_IMODE(os.stat(keys).st_mode), 0o600)
        self.assertNotIn(open(keys, encoding="utf-8").read().split()[-1], self.coordinator.process.logged())

    def test_8_cancelling_reaches_the_agents(self):
        plan = self.coordinator.json("plan", "show", "clinic-notes")["plan"]
        self.coordinator.cli("plan", "cancel", plan["plan_id"])
        states = {p["plan_id"]: p["state"] for p in self.coordinator.json("plans")["plans"]}
        self.assertEqual(states[plan["plan_id"]], "cancelled")


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
