"""`espalier-agent check` finds what is wrong with a device, and says what to do about it."""

import json
import os
import shutil
import socket
import sys
import tempfile
import unittest

import harness as h


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.coordinator = h.Coordinator(os.path.join(cls.root, "c")).start()
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.coordinator.process.stop()
        shutil.rmtree(cls.root)

    def setUp(self):
        Check.count += 1
        self.folder = os.path.join(self.root, f"a{Check.count}")

    def check(self, *options, endpoint=None, key=None):
        """The findings by what they are of, and the exit code."""
        done = h.run(h.program("espalier-agent"), "check", "--json", "--data-dir", self.folder, "--coordinator",
                     endpoint or self.coordinator.endpoint, f"--server-key={key or self.coordinator.key}", *options,
                     check=False)
        found = {f["what"]: f for f in json.loads(done.stdout)["findings"]}
        return found, done.returncode

    def key(self):
        return h.run(h.program("espalier-agent"), "key", "--data-dir", self.folder).stdout.strip()

    def test_a_device_that_is_let_in_is_well(self):
        self.coordinator.allow(self.key())
        found, code = self.check()
        self.assertEqual(code, 0)
        for what in ("settings", "folder", "network", "keys", "session", "version", "clock"):
            self.assertEqual(found[what]["grade"], "ok", found[what])
        self.assertEqual(found["agent"]["grade"], "warning")  # none runs

    def test_a_mac_is_recognised_and_a_replayed_one_is_said_to_be_one(self):
        found, _ = self.check("--replay", os.path.join(h.MACHINES, "m1-8gb-1.json"))
        self.assertEqual(found["machine"]["grade"], "warning")
        self.assertIn("replayed", found["machine"]["seen"])
        if sys.platform == "linux":
            found, _ = self.check()
            self.assertIn("no Metal device", found["machine"]["seen"])

    def test_a_key_that_nobody_allowed_is_named_with_the_command(self):
        found, code = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(found["keys"]["grade"], "wrong")
        self.assertIn(f"devices allow -- '{self.key()}'", found["keys"]["todo"])
        self.assertNotIn("session", found)

    def test_another_server_is_not_trusted(self):
        self.coordinator.allow(self.key())
        other = h.run(h.program("espalier-agent"), "key", "--data-dir", self.folder + "-other").stdout.strip()
        found, code = self.check(key=other)
        self.assertEqual(code, 1)
        self.assertEqual(found["keys"]["grade"], "wrong")
        self.assertIn("not the coordinator with the key", found["keys"]["seen"])
        self.assertIn(other, found["keys"]["todo"])

    def test_the_tools_port_is_the_wrong_one(self):
        self.coordinator.allow(self.key())
        found, code = self.check(endpoint=self.coordinator.tools_endpoint)
        self.assertEqual(code, 1)
        self.assertIn("7421", found["keys"]["todo"])

    def test_nothing_that_listens(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))  # bound, and it does not listen
            found, code = self.check(endpoint=f"tcp://127.0.0.1:{s.getsockname()[1]}")
        self.assertEqual(code, 1)
        self.assertIn("nothing listens", found["network"]["todo"])
        self.assertNotIn("keys", found)

    def test_settings_that_lack_the_coordinator(self):
        done = h.run(h.program("espalier-agent"), "check", "--data-dir", self.folder, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("coordinator is not set", done.stdout)
        self.assertIn("skipped  network", done.stdout)

    def test_a_key_file_that_others_may_read(self):
        self.key()
        os.chmod(os.path.join(self.folder, "agent.key"), 0o644)
        found, code = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(found["folder"]["grade"], "wrong")
        self.assertIn("chmod", found["folder"]["seen"])

    def test_a_machine_that_was_timed_reports_its_own_rates(self):
        done = h.run(h.program("espalier-agent"), "bench", "--json", "--data-dir", self.folder)
        timed = json.loads(done.stdout)
        self.assertGreater(timed["gpu_flops"], 0)
        agent = h.Agent(self.coordinator, self.folder, "timed").allow().start()
        try:
            profile = h.wait_until("the profile", lambda: next(
                (d["profile"] for d in self.coordinator.json("devices")["devices"]
                 if d.get("profile", {}).get("name") == "timed"), None))
            self.assertEqual(profile["gpu_flops"], timed["gpu_flops"])
            self.assertEqual(profile["memory_bandwidth_bytes_per_s"], timed["memory_bandwidth_bytes_per_s"])
            notes = {f["field"]: f for f in profile["facts"]}
            self.assertEqual(notes["gpu_flops"]["source"], "measured")
            self.assertIn("on the device", notes["gpu_flops"]["detail"])
            self.assertNotIn("gpu_flops", [u["field"] for u in profile["unknown"]])
        finally:
            agent.process.stop()

    def test_only_the_machine_itself_is_timed(self):
        done = h.run(h.program("espalier-agent"), "bench", "--data-dir", self.folder, "--replay",
                     os.path.join(h.MACHINES, "m1-8gb-1.json"), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("replay is set", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "bench.json")))

    def test_beside_a_running_agent_its_session_is_left_alone(self):
        agent = h.Agent(self.coordinator, self.folder, "running").allow().start()
        try:
            h.wait_until("the agent", lambda: "welcome as" in agent.process.logged())
            found, code = self.check()
            self.assertEqual(code, 0)
            self.assertEqual(found["agent"]["grade"], "ok")
            self.assertEqual(found["session"]["grade"], "skipped")
            self.assertEqual(agent.process.logged().count("welcome as"), 1)
            self.assertNotIn("connection lost", agent.process.logged())
        finally:
            agent.process.stop()


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
