"""The example of an outside tool does what it says, over ipc and over TCP with a key of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import zmq

import harness as h

EXAMPLE = os.path.join(h.TREE, "deploy/examples/outside_tool.py")
JOB = os.path.join(h.TREE, "deploy/examples/federated.json")


class OutsideTool(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")
        self.coordinator = h.Coordinator(os.path.join(self.root, "c")).start()
        self.agents = [h.Agent(self.coordinator, os.path.join(self.root, n), n, "--replay",
                               os.path.join(h.FLEET, f"composed-{n}.json")).allow().start()
                       for n in ("m1-8gb", "m2ultra-192gb")]
        h.wait_until("two devices", lambda: len([d for d in self.coordinator.json("devices").get("devices", [])
                                                 if "state" in d]) == 2)

    def tearDown(self):
        for agent in self.agents:
            agent.process.stop()
        self.coordinator.process.stop()
        shutil.rmtree(self.root)

    def example(self, *args):
        return subprocess.run([sys.executable, EXAMPLE, *args], capture_output=True, text=True, timeout=h.PATIENCE,
                              check=False)

    def check(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Apple M2 Ultra", done.stdout)
        self.assertIn("2 clients, 0 left out", done.stdout)
        self.assertEqual(done.stdout.count("batch "), 2)

    def test_over_ipc(self):
        self.check(self.example("--coordinator", f"ipc://{self.coordinator.socket}", JOB))

    def test_over_tcp_with_a_key_of_its_own(self):
        keys = os.path.join(self.root, "tool.keys")
        args = ("--coordinator", self.coordinator.tools_endpoint, "--server-key", self.coordinator.key, "--key-file", keys,
                JOB)
        done = self.example(*args)
        self.assertIn("espalier devices allow", done.stdout)
        self.coordinator.cli("devices", "allow", "--tool", "operator", "--", open(keys, encoding="utf-8").read().split()[0])
        self.check(self.example(*args))

    def test_events_are_published_to_whoever_may_listen(self):
        public, secret = zmq.curve_keypair()
        self.coordinator.cli("devices", "allow", "--tool", "viewer", "--", public.decode())
        listener = h.Tool(self.coordinator.events_endpoint, zmq.SUB, (public, secret), self.coordinator.key)
        self.addCleanup(listener.close)
        listener.socket.setsockopt(zmq.SUBSCRIBE, b"plan_created")
        listener.socket.setsockopt(zmq.SUBSCRIBE, b"delivery")

        def heard():
            # A subscription takes effect some time after the connection: plan until one is heard.
            self.coordinator.cli("plan", "federated", JOB)
            return listener.socket.poll(1000)

        h.wait_until("an event", heard)
        kinds, sequences = set(), []
        while listener.socket.poll(1000):
            topic, body = listener.socket.recv_multipart()
            event = h.event_pb2.Event.FromString(body)
            name = h.enums_pb2.EventKind.Name(event.kind)[len("EVENT_KIND_"):].lower()
            self.assertEqual(topic.decode(), name)
            kinds.add(name)
            sequences.append(event.sequence)
        self.assertIn("delivery", kinds)
        self.assertEqual(sequences, sorted(sequences))


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
