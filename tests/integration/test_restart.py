"""Nothing is lost and nothing starts twice: agents and coordinators killed and started again."""

import os
import shutil
import sys
import tempfile
import time
import unittest

import harness as h

JOB = os.path.join(h.TREE, "deploy/examples/federated.json")
MAC = os.path.join(h.FLEET, "composed-m4max-64gb.json")


class Restart(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agents = []

    def tearDown(self):
        for agent in self.agents:
            if agent.process:
                agent.process.stop()
        if self.coordinator.process.is_running():
            self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def agent(self, name, *options):
        agent = h.Agent(self.coordinator, os.path.join(self.root, name), name, "--replay", MAC, *options).allow()
        self.agents.append(agent)
        return agent

    def command(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def online(self, count):
        h.wait_until(f"{count} devices with a state", lambda: sum(
            d["liveness"] == "online" and "state" in d
            for d in self.coordinator.json("devices").get("devices", [])) == count)

    def delivery(self, name):
        reply = self.coordinator.json("plan", "show", "clinic-notes", check=False)
        found = [d for d in reply.get("deliveries", []) if d.get("device_name") == name]
        return found[0] if found else None

    def wait_delivery(self, name, *states):
        return h.wait_until(f"{name} to be {states}", lambda: (lambda d: d if d and d["state"] in states else None)(
            self.delivery(name)))

    def test_an_agent_that_was_away_gets_its_assignment_when_it_returns(self):
        agent = self.agent("a").start()
        self.online(1)
        agent.process.kill()
        self.coordinator.cli("plan", "federated", JOB)
        self.assertIn(self.delivery("a")["state"], ("pending", "sent"))
        agent.start()
        self.wait_delivery("a", "applied")
        self.assertTrue(os.path.exists(os.path.join(agent.plan_folder("clinic-notes"), "plan.json")))

    def test_a_killed_agent_keeps_its_plan_and_reports_where_it_stands(self):
        agent = self.agent("a").start()
        self.online(1)
        self.coordinator.cli("plan", "federated", JOB, "--wait")
        generation = self.delivery("a")["generation"]
        agent.process.kill()
        stored = open(os.path.join(agent.plan_folder("clinic-notes"), "plan.json"), encoding="utf-8").read()
        agent.start()
        self.online(1)
        self.assertEqual(self.wait_delivery("a", "applied")["generation"], generation)
        again = open(os.path.join(agent.plan_folder("clinic-notes"), "plan.json"), encoding="utf-8").read()
        self.assertEqual(stored, again)

    def test_a_coordinator_killed_with_open_deliveries_loses_none(self):
        ran = self.command("ran.sh", "echo x >> \"$ESPALIER_PLAN_DIR/../../../ran\"\n")
        running = [self.agent(f"r{i}", "--on-plan", ran, "--allow-root").start() for i in range(4)]
        self.online(4)
        away = [self.agent(f"w{i}", "--on-plan", ran, "--allow-root") for i in range(4)]
        for agent in away:
            agent.start()
        self.online(8)
        for agent in away:
            agent.process.kill()
        self.coordinator.cli("plan", "federated", JOB)
        self.coordinator.process.kill()
        self.coordinator.restart()
        for agent in running:
            self.wait_delivery(agent.name, "done")
        for agent in away:
            self.assertIn(self.delivery(agent.name)["state"], ("pending", "sent"))
            agent.start()
        for agent in away:
            self.wait_delivery(agent.name, "done")
        for agent in running + away:
            lines = open(os.path.join(agent.folder, "ran"), encoding="utf-8").read()
            self.assertEqual(lines, "x\n", f"{agent.name} ran its command once")

    def test_killed_again_and_again_while_agents_report(self):
        ran = self.command("slow.sh", "echo x >> \"$ESPALIER_PLAN_DIR/../../../ran\"\n"
                                      "for i in 1 2 3 4 5 6 7 8; do echo \"{\\\"event\\\":\\\"train\\\",\\\"iteration\\\":$i,"
                                      "\\\"step_seconds\\\":0.1}\" >> \"$ESPALIER_EVENTS\"; sleep 0.3; done\n")
        agents = [self.agent(f"a{i}", "--on-plan", ran, "--allow-root").start() for i in range(5)]
        self.online(5)
        self.coordinator.cli("plan", "federated", JOB)
        for _ in range(3):
            time.sleep(0.5)  # somewhere in the middle of the reports
            self.coordinator.process.kill()
            self.coordinator.restart()
        for agent in agents:
            self.wait_delivery(agent.name, "done")
            self.assertEqual(open(os.path.join(agent.folder, "ran"), encoding="utf-8").read(), "x\n")

        def all_measured():
            reply = self.coordinator.json("plan", "show", "clinic-notes")
            return len(reply.get("measurements", [])) >= 5 * 8 and reply

        reply = h.wait_until("every measurement of every agent", all_measured)
        seen = [(m["device_id"], m["measurement"]["sequence"]) for m in reply["measurements"]]
        self.assertEqual(len(seen), 5 * 8)
        self.assertEqual(len(set(seen)), len(seen), "no measurement twice")

    def test_a_command_interrupted_by_a_crash_is_failed_and_not_run_again(self):
        slow = self.command("slow.sh", "echo x >> \"$ESPALIER_PLAN_DIR/../../../ran\"\nexec sleep 30\n")
        agent = self.agent("a", "--on-plan", slow, "--allow-root").start()
        self.online(1)
        self.coordinator.cli("plan", "federated", JOB)
        self.wait_delivery("a", "running")
        agent.process.kill()
        agent.start()
        self.assertIn("interrupted", self.wait_delivery("a", "failed")["reason"])
        self.assertEqual(open(os.path.join(agent.folder, "ran"), encoding="utf-8").read(), "x\n")


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
